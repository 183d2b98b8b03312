"""The lock of an alias: taken by a job, and held by a lease whose every beat writes a checkpoint."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from typing import Final

from indexer.errors import BreakerTripped, IndexerError, TargetError, TargetUnavailable, UsageError
from indexer.model.job.state import HELD, JobState, JobStatus, LockHolder
from indexer.process_identity import ProcessIdentity
from indexer.sink.job_store import JobStore, LostLock, StoredJob

__all__ = ["Lease", "free_lock", "is_dead", "take_lock", "this_process"]


def this_process() -> LockHolder:
    """This process as the holder of a lock; each call makes another holder."""
    identity = ProcessIdentity.of(os.getpid())
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return LockHolder(socket.gethostname(), identity.pid, since, token_hex(8), identity.place, identity.started)


def is_dead(holder: LockHolder) -> bool:
    """Whether the holder's process is known to have ended; False if this machine cannot know."""
    return ProcessIdentity(holder.pid, holder.started, holder.place).is_dead()


BEAT: Final = 1.0
"""Seconds between two beats, and so between two checkpoints."""

_EXPIRY: Final = 15.0
"""Seconds without a beat after which a holder counts as dead."""

_LAST: Final = 3.0
"""Seconds that each write of a stopped job may take."""


def free_lock(jobs: JobStore, alias: str, waiting: Callable[[str], None]) -> StoredJob | None:
    """The alias' newest job once nobody runs it; None where there was none. Nothing is written.

    A holder is dead where its process is known to be (`is_dead`), or when its beat stands still for 15 seconds, which
    this finds out by waiting, not by comparing clocks.

    Raises:
        UsageError: where somebody runs it; names the process.
    """
    stored = jobs.newest(alias)
    if stored is None or stored.state.status not in HELD or is_dead(stored.state.holder):
        return stored
    waiting(f"the lock of {alias} is held by {stored.state.holder}; waiting {_EXPIRY:.0f} s for its heartbeat")
    until = time.monotonic() + _EXPIRY
    while time.monotonic() < until:
        time.sleep(BEAT / 2)
        now = jobs.newest(alias)
        if now is None or now.state.status not in HELD:
            return now
        if now.state.beat != stored.state.beat:
            raise _held(now.state)
    return stored


def take_lock(jobs: JobStore, state: JobState, before: StoredJob | None) -> StoredJob:
    """Write the job that takes the alias' lock, unless somebody else took it since it was found free.

    Raises:
        UsageError: where somebody did; names the process.
    """
    try:
        return jobs.write(state, before)
    except LostLock as error:
        now = jobs.newest(state.alias)
        if now is None:
            raise
        raise _held(now.state) from error


def _held(state: JobState) -> UsageError:
    """The refusal that names the holder."""
    return UsageError(
        f"The job {state.job} is {state.status} for {state.alias}: {state.holder}, last heartbeat {state.heartbeat};"
        " wait for it, or stop it."
    )


class Lease:
    """An alias' lock, held by this process, and the checkpoint that is written with each beat.

    Args:
        jobs: where it is kept.
        stored: the lock as this process wrote it.
        checkpoint: the job as it is at this moment, made from what was last written; raises where it is not sound.

    Attributes:
        cpu_seconds: CPU that checkpoints cost this process so far; the load continues while the servers answer.
    """

    def __init__(self, jobs: JobStore, stored: StoredJob, checkpoint: Callable[[JobState], JobState]) -> None:
        self._jobs = jobs
        self._stored = stored
        self._checkpoint = checkpoint
        self._writing = threading.Lock()
        self.cpu_seconds = 0.0

    @property
    def state(self) -> JobState:
        """The job as it was last written, and will be resumed."""
        return self._stored.state

    def beat_until(self, ended: threading.Event, stop: threading.Event) -> None:
        """Write a checkpoint every second until the load ended, and then the last one.

        Raises:
            LostLock: where another process took the job over; this one must stop.
            ShardsUnavailable: where pages may lack some of their rows.
        """
        while not ended.wait(BEAT):
            if stop.is_set():
                return
            self._try_beat()
        self._try_beat()

    def _try_beat(self) -> None:
        # If the lock expires during an outage, the next write finds that out.
        with suppress(TargetUnavailable):
            self._beat_or_hold()

    def _beat_or_hold(self) -> None:
        try:
            self.beat()
        except BreakerTripped:  # pages fill it: without an answer about shards, the checkpoint stays where it is
            self.hold()

    def beat(self) -> None:
        """Write a checkpoint; raises as `beat_until`, and TargetUnavailable where Elasticsearch does not answer."""
        began = time.thread_time()
        try:
            with self._writing:
                self._stored = self._jobs.write(self._checkpoint(self._stored.state), self._stored)
        finally:
            self.cpu_seconds += time.thread_time() - began

    def hold(self) -> None:
        """Beat without a new checkpoint, while the job waits."""
        with self._writing, suppress(TargetUnavailable):
            self._stored = self._jobs.write(self._stored.state, self._stored)

    @contextmanager
    def keep_alive(self) -> Iterator[None]:
        """Beat, without new checkpoints, while the block runs: to refresh and count a large index takes minutes.

        Raises:
            LostLock: at the end of the block, where another process took the job over.
        """
        ended = threading.Event()
        beats = threading.Thread(target=self._hold_until, args=(ended,), name="lease", daemon=True)
        beats.start()
        try:
            yield
        finally:
            ended.set()
            beats.join(_LAST)
        self.hold()

    def _hold_until(self, ended: threading.Event) -> None:
        with suppress(TargetError):  # the write at the end of the block raises it
            while not ended.wait(BEAT):
                self.hold()

    def end(self, status: JobStatus, error: str = "") -> None:
        """Write how the job ended, which releases the lock.

        Where Elasticsearch does not answer, or another process has the lock, the record stays as it is.
        """
        with self._writing, suppress(TargetUnavailable, LostLock):  # not during a beat
            self._stored = self._jobs.write(replace(self._stored.state, status=status, error=error), self._stored)
            self._jobs.record(self._stored.state)

    def interrupt(self, why: str) -> None:
        """Write a last checkpoint and that the job was stopped, in a few seconds at most."""
        for write in (self.beat, partial(self.end, JobStatus.INTERRUPTED, why)):
            writing = threading.Thread(target=_try, args=(write,), name="lease", daemon=True)
            writing.start()
            writing.join(_LAST)


def _try(write: Callable[[], None]) -> None:
    with suppress(IndexerError):  # a resume is just as safe from the last checkpoint
        write()
