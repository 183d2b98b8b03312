"""The job: plan, load, catch up, verify, switch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import orjson

from indexer.cache_folder import job_folder
from indexer.errors import IndexerError, Interrupted, ShardsUnavailable, TargetError, UsageError, VerificationFailed
from indexer.job.context import JobContext, open_context
from indexer.job.dead_letters import FILE, DeadLetterFile, file_errors
from indexer.job.jobs import create_index, discard_replaced, initial_state, open_letter_index
from indexer.job.load import Load
from indexer.job.lock import Lease, free_lock, take_lock
from indexer.job.passes import Freeze, Passes
from indexer.job.planner import make_plan
from indexer.job.reconciliation import DocumentCounts, Shortage, count_documents, find_shortage, verify_documents
from indexer.job.shards import unreadable_reason, wait_for_shards
from indexer.model.document.row_key import RowKeys
from indexer.model.job.plan import Plan
from indexer.model.job.progress import Counters, Progress
from indexer.model.job.report import Report
from indexer.model.job.state import JobState, JobStatus
from indexer.pipeline.memory import peak_rss
from indexer.settings import Settings
from indexer.sink.index import Indexes
from indexer.sink.job_store import StoredJob
from indexer.sink.privileges import refuse_unprivileged
from indexer.sink.snapshot import Snapshot

__all__ = ["plan", "reindex"]

_CATCH_UPS: Final = 3
"""Passes after the load, at most: each finds what was added during the one before, so they get short, if not empty."""

_VERIFICATIONS: Final = 6
"""How often a job compares the index with the source: where rows come and go, some may be missing the next time."""

Result = TypeVar("Result")


def plan(settings: Settings) -> Plan:
    """What `reindex` would do with these settings; changes nothing.

    Raises:
        UsageError: for bad input.
        SourceError, TargetError: where a server fails.
    """
    with _permitted_context(settings, Counters()) as context:
        newest = context.jobs.newest(settings.alias)
        return make_plan(settings, context, newest.state if newest else None)


def reindex(settings: Settings, *, watch: Callable[[Plan, Counters], None] | None = None) -> Report:
    """Stream a table into a fresh index, prove that every row arrived, and move the alias.

    Args:
        settings: what to do; see `Settings`.
        watch: called once, when the plan is made, with the counters that the job will add to.

    Returns:
        What was done. `Report.exit_code` is 3 where documents were rejected for good.

    Raises:
        UsageError: for bad input; nothing was created.
        VerificationFailed: where the index does not hold every row; the alias was not moved.
        IndexerError: for any other failure; the old index is still served.
    """
    counters = Counters()
    with _permitted_context(settings, counters) as context:
        newest = free_lock(context.jobs, settings.alias, context.show_wait)
        made_plan = make_plan(settings, context, newest.state if newest else None)
        if watch is not None:
            watch(made_plan, counters)
        return _Job(context, made_plan, newest).run()


@contextmanager
def _permitted_context(settings: Settings, counters: Counters) -> Iterator[JobContext]:
    with open_context(settings, counters) as context:
        refuse_unprivileged(context.cluster, settings.alias, settings.jobs_index, settings.dead_letter_index)
        yield context


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a report tells besides the plan and the passes."""

    loaded: Progress
    documents: int
    deleted: tuple[str, ...]
    checkpoint_cpu_seconds: float


class _Job:
    """One run: takes the lock, loads the remaining rows, verifies, switches, and reports."""

    def __init__(self, context: JobContext, plan: Plan, newest: StoredJob | None) -> None:
        self.context = context
        self.plan = plan
        self.counters = context.counters
        self.indexes = Indexes(context.cluster)
        self.newest = newest
        self.before = newest.state if newest else None
        self.folder = job_folder(plan.job)
        self.letter_index = open_letter_index(plan, context)
        keys = RowKeys(plan.selection, plan.mapping)
        self.letters = DeadLetterFile(self.folder / FILE, plan.max_failures, keys, self.letter_index)
        # Made once: a write whose answer was lost is recognized by its holder.
        self.initial = initial_state(plan, self.before)
        self.passes = Passes(context, plan, self.initial)

    def run(self) -> Report:
        stored = self._take_lock() if self.plan.unfinished else self._create_index()
        lease = Lease(self.context.jobs, stored, self._checkpoint)
        try:
            report = self._work(lease)
        except (Interrupted, KeyboardInterrupt) as error:
            lease.interrupt(str(error))
            raise
        except IndexerError as error:
            lease.end(JobStatus.FAILED, str(error))
            if isinstance(error, UsageError):  # something was changed, so that it cannot be one any more
                raise IndexerError(str(error)) from error
            raise
        lease.end(JobStatus.DONE)
        return report

    def _create_index(self) -> StoredJob:
        """Create the index before taking the lock, so that nothing changes where Elasticsearch refuses it."""
        self.context.retry(lambda: create_index(self.plan, self.context.cluster, self.initial))
        try:
            return self._take_lock()
        except BaseException:
            with suppress(TargetError):  # must not hide what went wrong
                self.indexes.delete(self.plan.job)
            raise

    def _take_lock(self) -> StoredJob:
        if self.letter_index is not None:
            self.context.retry(self.letter_index.prepare)
        return self.context.retry(lambda: take_lock(self.context.jobs, self.initial, self.newest))

    def _work(self, lease: Lease) -> Report:
        self._begin()
        self._load(lease)
        loaded = self.counters.snapshot()
        self._catch_up(lease)
        documents = self._verify(lease)
        deleted = self._switch() if self.plan.switch else ()
        report = self._report(_Outcome(loaded, documents, deleted, lease.cpu_seconds))
        with file_errors(self.folder / "report.json") as file:
            file.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
        return report

    def _begin(self) -> None:
        if not self.plan.unfinished:
            self.context.retry(lambda: discard_replaced(self.plan, self.context.cluster, self.before))
        done = sum(progress.read for progress in self.passes.loaded)
        self.counters.begin(self.passes.phase, self.plan.rows, before=done)

    def _load(self, lease: Lease) -> None:
        """Load all that remains of the load, or of the pass that it is in."""
        self._soundly(lease, self._load_once)

    def _load_once(self, lease: Lease) -> None:
        passes = self.passes
        Load(self.context, self.plan, passes.selection, passes.tracker, self.letters, lease).run()

    def _soundly(self, lease: Lease, work: Callable[[Lease], Result]) -> Result:
        """Do this; where shards become unavailable, repeat it from the last sound checkpoint once they are back."""
        while True:
            try:
                return work(lease)
            except ShardsUnavailable as error:
                self.counters.wait(str(error))
                wait_for_shards(self.context, self.plan.selection.table, error, lease.hold)
                self.counters.clear_waits()
                self.passes.restore(lease.state)

    def _catch_up(self, lease: Lease) -> None:
        """Read what was added since the plan, then what was added during that; or all, where rows may have moved."""
        if not self.plan.catch_up:
            if self._soundly(lease, self._rows_may_have_moved):
                self._read_more(lease, self.passes.all)
            return
        for _ in range(_CATCH_UPS):
            if self._read_more(lease, self.passes.later) < self.plan.page:
                return

    def _rows_may_have_moved(self, lease: Lease) -> bool:
        return self._checked(lease, self.passes.rows_may_have_moved)

    def _read_more(self, lease: Lease, freeze: Freeze) -> int:
        """Freeze another pass and load it; returns how many rows it read."""
        before = self.passes.caught_up
        self.counters.begin("catching up")
        self._soundly(lease, lambda lease: self._checked(lease, freeze))
        self._load(lease)
        return self.passes.caught_up - before

    def _checked(self, lease: Lease, operation: Callable[[], Result]) -> Result:
        """Query the source while the lock is held; the checkpoint after it finds out whether every shard answered."""
        with lease.keep_alive():
            result = self.context.retry(operation)
        self.context.retry(lease.beat)
        return result

    def _verify(self, lease: Lease) -> int:
        """The documents in the index, once every row is in that was there at the start and still is.

        Slices that lack rows are read a second time. Where only the whole shows that something is missing, because rows
        were deleted and others added, rows beyond the highest frozen key are read first, then all of them, by a key
        that no UPDATE moves a row by.
        """
        full_passes = iter((self.passes.later, self.passes.all, self.passes.all))
        reason = ""
        for _ in range(_VERIFICATIONS):
            documents, shortage = self._soundly(lease, self._compare)
            if shortage is None:
                return documents.all
            reason = shortage.reason
            freeze = partial(self.passes.reread, shortage.slices) if shortage.slices else next(full_passes, None)
            if freeze is None:
                break
            self._read_more(lease, freeze)
        raise VerificationFailed(
            f"{reason}; the alias {self.plan.alias} was not moved: run the job again with --fresh, and check the"
            " source's shards."
        )

    def _compare(self, lease: Lease) -> tuple[DocumentCounts, Shortage | None]:
        """The documents in the index, and which rows are not among them."""
        source, passes = self.context.source, self.passes
        with lease.keep_alive():
            documents = self.context.retry(self._count)
            shortage = self.context.retry(lambda: find_shortage(source, passes.newest, documents, passes.dead))
        self.context.retry(lease.beat)  # which finds out whether every shard was there to be counted
        return documents, shortage

    def _count(self) -> DocumentCounts:
        self.counters.begin("verifying")
        self.indexes.finish(self.plan.job, self.plan.mapping.settings)
        with Snapshot(self.context.cluster, self.plan.job, self.context.limits.retry.seconds) as snapshot:
            documents = count_documents(self.plan, self.passes.newest, snapshot)
        verify_documents(self.plan, self.passes, documents)
        return documents

    def _switch(self) -> tuple[str, ...]:
        self.counters.begin("switching")
        self.context.retry(lambda: self.indexes.switch(self.plan.alias, self.plan.job))
        return self.context.retry(lambda: self.indexes.delete_old(self.plan.alias, keep=self.plan.keep))

    def _checkpoint(self, before: JobState) -> JobState:
        """The job at this moment: nothing that was read while a shard was unavailable gets into a checkpoint.

        Raises:
            ShardsUnavailable: where a shard is unavailable, so that pages since the last checkpoint may lack rows.
        """
        nulled = self.plan.unfinished.nulled if self.plan.unfinished else 0
        state = self.passes.into(replace(before, nulled=nulled + self.counters.snapshot().nulled))
        reason = unreadable_reason(self.context.source, self.plan.selection.table)
        if reason:
            raise ShardsUnavailable(reason)
        return state

    def _report(self, outcome: _Outcome) -> Report:
        plan, passes, loaded = self.plan, self.passes, outcome.loaded
        p50, p95 = self.counters.page_milliseconds()
        return Report(
            job=plan.job,
            table=str(plan.selection.table.name),
            index=plan.job,
            alias=plan.alias,
            switched=plan.switch,
            resumed=plan.unfinished is not None,
            rows_read=sum(progress.read for progress in passes.loaded),
            rows_indexed=outcome.documents,
            rows_caught_up=passes.caught_up,
            dead_letters=passes.dead,
            nulled=loaded.nulled,
            seconds=round(loaded.seconds, 3),
            rows_per_second=round(loaded.rows_per_second, 1),
            pages=loaded.pages,
            page_ms_p50=round(p50, 2),
            page_ms_p95=round(p95, 2),
            checkpoint_cpu_seconds=round(outcome.checkpoint_cpu_seconds, 3),
            peak_rss_bytes=peak_rss(),
            strategy=plan.strategy,
            key=",".join(plan.selection.key.names),
            dead_letter_file=str(self.letters.path) if passes.dead else None,
            deleted=outcome.deleted,
            caveat=plan.selection.table.caveat,
        )
