"""The lease: the lock of an alias while a job runs, and the checkpoint that each beat of it writes."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from indexer.errors import BreakerTripped, Refused, TargetError, TargetUnavailable
from indexer.model.job import HELD, Holder, JobState, Status
from indexer.target.jobs import Jobs, LostLock, Stored

__all__ = ["Lease", "free_lock", "this_process"]

BEAT: Final = 1.0
"""Seconds between two beats, and so between two checkpoints."""

_EXPIRY: Final = 15.0
"""Seconds without a beat after which a holder on another machine counts as dead."""


def this_process() -> Holder:
    """This process, as the holder of a lock."""
    return Holder(socket.gethostname(), os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))


def free_lock(jobs: Jobs, alias: str, waiting: Callable[[str], None]) -> Stored | None:
    """The alias' newest job once nobody runs it; None where there was none. Nothing is written.

    A holder on this machine is dead when its process is; any other when its beat stands still for 15 seconds, which
    is seen by waiting, not by comparing clocks.

    Raises:
        Refused: where somebody does, with who that is.
    """
    stored = jobs.newest(alias)
    if stored is None or stored.state.status not in HELD or _is_dead(stored.state.holder):
        return stored
    waiting(f"the lock of {alias} is held by {stored.state.holder}, which has {_EXPIRY:.0f} s to show that it is alive")
    until = time.monotonic() + _EXPIRY
    while time.monotonic() < until:
        time.sleep(BEAT / 2)
        now = jobs.newest(alias)
        if now is None or now.state.status not in HELD:
            return now
        if now.state.beat != stored.state.beat:
            raise held(now.state)
    return stored


def held(state: JobState) -> Refused:
    """The refusal that names the holder."""
    return Refused(
        f"The job {state.job} is {state.status} for {state.alias}: {state.holder}, last heartbeat {state.heartbeat};"
        " wait for it, or stop it."
    )


def _is_dead(holder: Holder) -> bool:
    if holder.host != socket.gethostname():
        return False
    if holder.pid == os.getpid():
        return True  # an earlier job of this very process
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class Lease:
    """An alias' lock, held by this process, and the checkpoint that is written with each beat.

    Args:
        jobs: where it is kept.
        stored: the lock as this process wrote it.
        now: the job as it is at this moment, for the next checkpoint; raises where the moment is not to be trusted.

    Attributes:
        cpu_seconds: what the checkpoints cost this process so far; the load goes on while the servers answer.
    """

    def __init__(self, jobs: Jobs, stored: Stored, now: Callable[[JobState], JobState]) -> None:
        self._jobs = jobs
        self._stored = stored
        self._now = now
        self._writing = threading.Lock()
        self.cpu_seconds = 0.0

    @property
    def state(self) -> JobState:
        """The job as it was last written: what a resume goes on from."""
        return self._stored.state

    def beat_until(self, ended: threading.Event, stop: threading.Event) -> None:
        """Write a checkpoint every second until the load ended, and then the last one.

        Raises:
            LostLock: where another process took the job over; this one must not go on.
            ShardsAway: where pages may have come without some of their rows.
        """
        while not ended.wait(BEAT):
            if stop.is_set():
                return
            # Away for a while: the lock may expire meanwhile, and then the next write finds that out.
            with suppress(TargetUnavailable):
                self._beat_or_hold()
        self.beat()

    def _beat_or_hold(self) -> None:
        try:
            self.beat()
        except BreakerTripped:  # pages fill it at this moment; without an answer the checkpoint stays where it is
            self.hold()

    def beat(self) -> None:
        """Write a checkpoint; raises as `beat_until`, and TargetUnavailable where Elasticsearch is away."""
        began = time.thread_time()
        try:
            with self._writing:
                self._stored = self._jobs.write(self._now(self._stored.state), self._stored)
        finally:
            self.cpu_seconds += time.thread_time() - began

    def hold(self) -> None:
        """Beat without a new checkpoint: the job waits."""
        with self._writing, suppress(TargetUnavailable):
            self._stored = self._jobs.write(self._stored.state, self._stored)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Beat, without new checkpoints, while the block runs: to refresh and count a large index takes minutes.

        Raises:
            LostLock: at the end of the block, where another process took the job over meanwhile.
        """
        ended = threading.Event()
        beats = threading.Thread(target=self._hold_until, args=(ended,), name="lease", daemon=True)
        beats.start()
        try:
            yield
        finally:
            ended.set()
            beats.join()
        self.hold()

    def _hold_until(self, ended: threading.Event) -> None:
        with suppress(TargetError):  # the end of the block meets it again
            while not ended.wait(BEAT):
                self.hold()

    def end(self, status: Status, error: str = "") -> None:
        """Write how the job ended, which gives the lock back.

        A job that cannot write this, for Elasticsearch is away or another process has its lock, leaves it as it is.
        """
        with suppress(TargetUnavailable, LostLock):
            self._stored = self._jobs.write(replace(self._stored.state, status=status, error=error), self._stored)
            self._jobs.record(self._stored.state)
