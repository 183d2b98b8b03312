"""The meter: wall time, and CPU time of this process, of the local servers and of the machine."""

import time
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import psutil

from bench.meter.usage import Usage

__all__ = ["Meter", "wait_until_idle"]

_IDLE: Final = 15.0
"""Per cent of all cores below which the machine counts as idle."""

_PATIENCE: Final = 20
"""Seconds to wait for that at most."""


class Meter:
    """Measures what happens inside `with`.

    Args:
        source: CrateDB's URL; its process is measured too, where it runs on this machine.
        target: Elasticsearch's, likewise; None where it takes no part.

    Attributes:
        usage: what the block took, once it has ended.
    """

    usage: Usage

    def __init__(self, source: str, target: str | None = None) -> None:
        self._source = _listener(source)
        self._target = _listener(target) if target else None
        self._no_target = 0.0 if target is None else None

    def __enter__(self) -> Self:
        self._began = self._now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.usage = self._now().since(self._began)

    def _now(self) -> Usage:
        return Usage(
            seconds=time.perf_counter(),
            client=time.process_time(),
            source=_cpu(self._source, None),
            target=_cpu(self._target, self._no_target),
            machine=_machine(),
        )


def wait_until_idle() -> None:
    """Wait until the machine is idle, but not long: `Usage.noise` tells who was busy all the same."""
    for _ in range(_PATIENCE):
        if psutil.cpu_percent(interval=1) < _IDLE:
            return


def _machine() -> float:
    """CPU seconds of all cores since the machine started; `user` includes the time of guests already."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0))


def _cpu(server: psutil.Process | None, otherwise: float | None) -> float | None:
    if server is None:
        return otherwise
    times = server.cpu_times()
    return float(times.user + times.system)


def _listener(url: str) -> psutil.Process | None:
    """The process of this machine that listens on the URL's port."""
    parts = urlsplit(url.split(",", maxsplit=1)[0])
    if parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        return None
    try:
        found = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS shows a user only the user's own connections
        return None
    for one in found:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == parts.port and one.pid:
            return psutil.Process(one.pid)
    return None
