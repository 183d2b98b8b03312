"""A program and all that it starts, measured from outside: other products run in several processes at once."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Final

import psutil

from bench.child import TAIL, ChildFailed, Finished

__all__ = ["Watch", "finish_family", "kill_family"]

_PAUSE: Final = 0.1
"""Seconds between two looks: a peak that is shorter is not seen."""


class Watch:
    """Sums up over a process and its descendants.

    Args:
        root: the pid of the process.

    Attributes:
        peak: the most bytes that all of them held together at one look.
    """

    def __init__(self, root: int) -> None:
        self._root, self._cpu = psutil.Process(root), dict[int, float]()
        self.peak = 0

    @property
    def cpu(self) -> float:
        """CPU seconds of each, as it was last seen."""
        return sum(self._cpu.values())

    def look(self) -> None:
        """Add up what there is now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.peak = max(self.peak, sum(map(self._one, [self._root, *self._root.children(recursive=True)])))

    def _one(self, process: psutil.Process) -> int:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
            times = process.cpu_times()
            self._cpu[process.pid] = float(times.user + times.system)
            return int(process.memory_info().rss)
        return 0


def finish_family(command: Sequence[str]) -> Finished:
    """Run a program to its end, or kill all of it on Ctrl-C; CPU and memory are those of all its processes.

    Raises:
        ChildFailed: where it ends in anything but 0, with the end of its errors.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL) as process:
            watch = _watched(process)
        seconds = time.perf_counter() - began
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            tail = errors.read().decode(errors="replace")[-TAIL:]
            raise ChildFailed(f"{' '.join(command)} ended in {process.returncode}:\n{tail}")
        return Finished(output.read(), seconds, watch.cpu, watch.peak)


def _watched(process: "subprocess.Popen[bytes]") -> Watch:
    try:
        watch = Watch(process.pid)
        while process.poll() is None:
            watch.look()
            time.sleep(_PAUSE)
    except BaseException:  # Ctrl-C too
        kill_family(process)
        raise
    return watch


def kill_family(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program and all that it started, at once."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(process.pid)
        for one in (root, *root.children(recursive=True)):  # the root first: it may tell of how the others ended
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
