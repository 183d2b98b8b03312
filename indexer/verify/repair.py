"""Repair: documents that are missing or different are written, extra ones are deleted, within limits."""

import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from indexer.errors import TargetError
from indexer.job.context import JobContext
from indexer.job.lock import Lease, free_lock, take_lock, this_process
from indexer.job.provenance import Provenance
from indexer.model.job.state import RESUMABLE, JobState, JobStatus
from indexer.pipeline.threads import WorkerGroup
from indexer.sink.dead_letter_index import delete_documents
from indexer.sink.snapshot import IndexInfo
from indexer.verify.comparison import RowComparison
from indexer.verify.findings import RepairResult

__all__ = ["IndexRepair", "repair_lock"]

_REASONS = 5
"""Rejections whose reason is kept."""


class IndexRepair:
    """One repair. Threads may share it.

    Args:
        context: the cluster and the limits.
        served: the index, and the alias to write through.
        dead_letters: the ids of the dead letters of the job that made the index.
        check_lock: called before each write; raises where this process no longer holds the lock of the alias.
    """

    def __init__(
        self, context: JobContext, served: IndexInfo, dead_letters: Container[str], check_lock: Callable[[], None]
    ) -> None:
        self._cluster = context.cluster
        self._index = served.index
        self._writer = context.writer(served.index, alias=served.alias)
        self._dead_letters = dead_letters
        self._check_lock = check_lock
        self._lock = threading.Lock()
        self._written = 0
        self._deleted = 0
        self._still_rejected = 0
        self._rejected: list[str] = []
        self._refused = ""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write the documents of rows that are missing or different."""
        self._check_lock()
        written = self._writer.write(lines)
        with self._lock:
            self._written += written.acknowledged
            self._still_rejected += sum(letter.id in self._dead_letters for letter in written.dead_letters)
            self._rejected += [f"{letter.id}: {letter.reason}" for letter in written.dead_letters]
            del self._rejected[_REASONS:]

    def delete(self, comparison: RowComparison, extra: int, limit: int) -> None:
        """Delete the documents without a row; none where they are more than `limit`, or where rows may be unread."""
        incomplete = comparison.incomplete()
        if incomplete:
            self._refused = incomplete
        elif extra > limit:
            self._refused = (
                f"{extra:,} documents are extra, but --max-deletes allows only {limit:,};"
                " raise it to delete them, or reindex"
            )
        else:
            for ids in comparison.extra():
                self._check_lock()
                self._deleted += delete_documents(self._cluster, self._index, ids)

    def result(self) -> RepairResult:
        """What was done so far."""
        return RepairResult(self._written, self._deleted, self._still_rejected, tuple(self._rejected), self._refused)


_AFTERWARDS: Final = {JobStatus.RUNNING: JobStatus.INTERRUPTED, JobStatus.REPAIRING: JobStatus.DONE}
"""The status of a job after its repair, where its holder had died."""


@contextmanager
def repair_lock(context: JobContext, provenance: Provenance) -> Iterator[Callable[[], None]]:
    """Hold the lock of an alias, and leave its newest job as it was.

    Args:
        context: where the lock is.
        provenance: the index that is repaired.

    Yields:
        A function to call before each write: it raises `LostLock` where another process took the lock over.

    Raises:
        UsageError: where somebody holds it, with who that is.
    """
    jobs = context.jobs
    before = free_lock(jobs, provenance.alias, context.show_wait)
    state = _repairing(before.state) if before else _job_of_its_own(provenance)
    lease = Lease(jobs, take_lock(jobs, state, before), lambda state: state)
    workers, ended = WorkerGroup(), threading.Event()
    beats = workers.start("lease", lambda: lease.beat_until(ended, workers.stop))
    try:
        yield lambda: workers.join([])
    finally:
        ended.set()
        beats.join()
        if before is None:
            with suppress(TargetError):  # must not hide what went wrong
                jobs.forget(lease.state)
        else:
            lease.end(_AFTERWARDS.get(before.state.status, before.state.status), before.state.error)


def _repairing(newest: JobState) -> JobState:
    """The alias' newest job; should this process die, it stays unfinished where it was."""
    status = JobStatus.RUNNING if newest.status in RESUMABLE else JobStatus.REPAIRING
    return replace(newest, status=status, holder=this_process())


def _job_of_its_own(provenance: Provenance) -> JobState:
    """A job for an alias whose own was forgotten, or is kept in another index of jobs."""
    holder = this_process()
    return JobState(
        job=provenance.served.index,
        alias=provenance.alias,
        table=str(provenance.selection.table.name),
        status=JobStatus.REPAIRING,
        holder=holder,
        beat=0,
        heartbeat=holder.since,
        fingerprint={},
        slices=(),
    )
