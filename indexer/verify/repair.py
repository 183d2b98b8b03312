"""Repairing an index: what is missing or different is written anew, what is extra is deleted, within limits."""

import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from indexer.errors import TargetError
from indexer.job.lock import Lease, free_lock, take_lock, this_process
from indexer.job.provenance import Provenance
from indexer.model.job.state import RESUMABLE, JobState, JobStatus
from indexer.pipeline.threads import WorkerGroup
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster
from indexer.sink.dead_letter_index import delete_documents
from indexer.sink.job_store import JobStore
from indexer.sink.rate_limit import RateLimit
from indexer.sink.snapshot import IndexInfo
from indexer.verify.comparison import RowComparison
from indexer.verify.findings import RepairResult

__all__ = ["IndexRepair", "repair_lock"]

_REASONS = 5
"""Rejections whose reason is kept."""


class IndexRepair:
    """One repair. Threads may share it.

    Args:
        cluster: where the index is.
        served: the index, and the alias to write through.
        settings: patience.
        rejected: the ids of dead letters.
        ours: called before each write; raises where this process no longer holds the lock of the alias.
    """

    def __init__(
        self,
        cluster: Cluster,
        served: IndexInfo,
        settings: Settings,
        *,
        rejected: Container[str],
        ours: Callable[[], None],
    ) -> None:
        self._cluster = cluster
        self._index = served.index
        pace = RateLimit(settings.writers, settings.batch_bytes)
        self._writer = BulkWriter(cluster, served.index, alias=served.alias, patience=settings.patience, pace=pace)
        self._known = rejected
        self._ours = ours
        self._lock = threading.Lock()
        self._written = 0
        self._deleted = 0
        self._still = 0
        self._rejected: list[str] = []
        self._refused = ""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write rows anew."""
        self._ours()
        written = self._writer.write(lines)
        with self._lock:
            self._written += written.done
            self._still += sum(letter.id in self._known for letter in written.dead)
            self._rejected += [f"{letter.id}: {letter.reason}" for letter in written.dead]
            del self._rejected[_REASONS:]

    def delete(self, comparing: RowComparison, extra: int, most: int) -> None:
        """Delete what no row stands behind; nothing where that is more than `most`, or where a row may be unseen."""
        incomplete = comparing.incomplete()
        if incomplete:
            self._refused = incomplete
        elif extra > most:
            self._refused = (
                f"{extra:,} documents are extra, and --max-deletes allows {most:,}: raise it if they are, or reindex"
            )
        else:
            for ids in comparing.extra():
                self._ours()
                self._deleted += delete_documents(self._cluster, self._index, ids)

    def done(self) -> RepairResult:
        """What was done so far."""
        return RepairResult(self._written, self._deleted, self._still, tuple(self._rejected), self._refused)


_AFTERWARDS: Final = {JobStatus.RUNNING: JobStatus.INTERRUPTED, JobStatus.REPAIRING: JobStatus.DONE}
"""What a job becomes whose holder died."""


@contextmanager
def repair_lock(jobs: JobStore, provenance: Provenance, waiting: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Hold the lock of an alias, and leave its newest job as it was.

    Args:
        jobs: where the lock is.
        subject: the index that is repaired.
        waiting: is told why this waits.

    Yields:
        To be called before each write: it raises `LostLock` where another process took the lock over.

    Raises:
        UsageError: where somebody holds it, with who that is.
    """
    before = free_lock(jobs, provenance.alias, waiting)
    state = _repairing(before.state) if before else _of_its_own(provenance)
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
    """The alias' newest job, which stays unfinished where it was, should this process die."""
    status = JobStatus.RUNNING if newest.status in RESUMABLE else JobStatus.REPAIRING
    return replace(newest, status=status, holder=this_process())


def _of_its_own(provenance: Provenance) -> JobState:
    """A job for an alias that has none: it was forgotten, or is kept in another index of jobs."""
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
