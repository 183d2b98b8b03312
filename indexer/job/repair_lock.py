"""The alias' lock while its index is repaired: no job may run meanwhile, nor another repair."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from indexer.errors import TargetError
from indexer.job.crew import Crew
from indexer.job.holder import this_process
from indexer.job.lease import Lease, free_lock, take_lock
from indexer.job.subject import Subject
from indexer.model.job import RESUMABLE, JobState, Status
from indexer.target.jobs import Jobs

__all__ = ["repair_lock"]

_AFTERWARDS: Final = {Status.RUNNING: Status.INTERRUPTED, Status.REPAIRING: Status.DONE}
"""What a job becomes whose holder died."""


@contextmanager
def repair_lock(jobs: Jobs, subject: Subject, waiting: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Hold the lock of an alias, and leave its newest job as it was.

    Args:
        jobs: where the lock is.
        subject: the index that is repaired.
        waiting: is told why this waits.

    Yields:
        To be called before each write: it raises `LostLock` where another process took the lock over.

    Raises:
        Refused: where somebody holds it, with who that is.
    """
    before = free_lock(jobs, subject.alias, waiting)
    state = _repairing(before.state) if before else _of_its_own(subject)
    lease = Lease(jobs, take_lock(jobs, state, before), lambda state: state)
    crew, ended = Crew(), threading.Event()
    beats = crew.start("lease", lambda: lease.beat_until(ended, crew.stop))
    try:
        yield lambda: crew.join([])
    finally:
        ended.set()
        beats.join()
        if before is None:
            with suppress(TargetError):  # must not hide what went wrong
                jobs.forget(lease.state)
        else:
            lease.end(_AFTERWARDS.get(before.state.status, before.state.status), before.state.error)


def _repairing(newest: JobState) -> JobState:
    """The alias' newest job, which stays unfinished where it was, should this process die."""
    status = Status.RUNNING if newest.status in RESUMABLE else Status.REPAIRING
    return replace(newest, status=status, holder=this_process())


def _of_its_own(subject: Subject) -> JobState:
    """A job for an alias that has none: it was forgotten, or is kept in another index of jobs."""
    holder = this_process()
    return JobState(
        job=subject.served.index,
        alias=subject.alias,
        table=str(subject.selection.table.name),
        status=Status.REPAIRING,
        holder=holder,
        beat=0,
        heartbeat=holder.since,
        terms={},
        left=(),
    )
