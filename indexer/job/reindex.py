"""The job: plan, load, catch up, verify, swap."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

import orjson

from indexer.cache_folder import job_folder
from indexer.errors import IndexerError, Interrupted, ShardsUnavailable, TargetError, UsageError, VerificationFailed
from indexer.job.dead_letters import FILE, DeadLetterFile, file_errors
from indexer.job.jobs import create_index, discard_replaced, initial_state, open_letter_index
from indexer.job.load import Load
from indexer.job.lock import Lease, free_lock, take_lock
from indexer.job.passes import Freeze, Passes
from indexer.job.planner import alias_of, make_plan
from indexer.job.reconciliation import DocumentCounts, Shortage, count_documents, shortage, verify_documents
from indexer.job.shards import unreadable_reason, wait_for_shards
from indexer.model.document.row_key import RowKeys
from indexer.model.job.plan import Plan
from indexer.model.job.progress import Counters, Progress
from indexer.model.job.report import Report
from indexer.model.job.state import JobState, JobStatus
from indexer.pipeline.memory import peak_rss
from indexer.retry import RetryPolicy, with_retry
from indexer.settings import Settings
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from indexer.sink.job_store import JobStore, StoredJob
from indexer.sink.privileges import refuse_unprivileged
from indexer.sink.snapshot import Snapshot
from indexer.source.open import open_source
from indexer.source.protocol import Source

__all__ = ["make_report", "plan", "reindex"]


def make_report(
    settings: Settings,
    plan: Plan,
    passes: Passes,
    counters: Counters,
    loaded: Progress,
    *,
    in_index: int,
    deleted: tuple[str, ...],
    checkpoint_cpu_seconds: float,
    letters: Path,
) -> Report:
    """Tell what a job did.

    Args:
        settings: what the user wanted.
        plan: what was to be done.
        passes: what was read.
        counters: how long pages took.
        loaded: the counters at the end of the load.
        in_index: documents in the index.
        deleted: older indexes that were deleted.
        checkpoint_cpu_seconds: see `Report`.
        letters: the file of dead letters.
    """
    p50, p95 = counters.page_milliseconds()
    return Report(
        job=plan.job,
        table=str(plan.selection.table.name),
        index=plan.job,
        alias=plan.alias,
        switched=settings.switch,
        resumed=plan.unfinished is not None,
        rows_read=sum(part.read for part in passes.loaded),
        rows_indexed=in_index,
        rows_caught_up=passes.caught_up,
        dead_letters=passes.dead,
        nulled=loaded.nulled,
        seconds=round(loaded.seconds, 3),
        rows_per_second=round(loaded.rows_per_second, 1),
        pages=loaded.pages,
        page_ms_p50=round(p50, 2),
        page_ms_p95=round(p95, 2),
        checkpoint_cpu_seconds=round(checkpoint_cpu_seconds, 3),
        peak_rss_bytes=peak_rss(),
        strategy=str(settings.strategy),
        key=",".join(plan.selection.key.names),
        dead_letter_file=str(letters) if passes.dead else None,
        deleted=deleted,
        caveat=plan.selection.table.caveat,
    )


_ROUNDS: Final = 3
"""How often a job catches up: each pass finds what came during the one before, so they get short, if not empty."""

_VERIFICATIONS: Final = 6
"""How often a job compares the index with the source: where rows come and go, some may be missing once more."""

Answer = TypeVar("Answer")


def plan(settings: Settings) -> Plan:
    """What `reindex` would do with these settings; touches nothing.

    Raises:
        UsageError: for bad input.
        SourceError, TargetError: where a server fails.
    """
    with _servers(settings) as (source, cluster):
        refuse_unprivileged(cluster, alias_of(settings), settings.jobs_index, settings.dead_letter_index)
        newest = JobStore(cluster, settings.jobs_index).newest(alias_of(settings))
        return make_plan(settings, source, cluster, newest.state if newest else None)


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
    with _servers(settings) as (source, cluster):
        refuse_unprivileged(cluster, alias_of(settings), settings.jobs_index, settings.dead_letter_index)
        jobs = JobStore(cluster, settings.jobs_index)
        newest = free_lock(jobs, alias_of(settings), counters.wait)
        made = make_plan(settings, source, cluster, newest.state if newest else None)
        if watch is not None:
            watch(made, counters)
        return _Job(settings, made, source, cluster, counters, jobs, newest).run()


@contextmanager
def _servers(settings: Settings) -> Iterator[tuple[Source, Cluster]]:
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        yield source, cluster


class _Job:
    """One run: takes the lock, loads what is left, verifies, swaps, and says in the end how it went."""

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        source: Source,
        cluster: Cluster,
        counters: Counters,
        jobs: JobStore,
        newest: StoredJob | None,
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.source = source
        self.cluster = cluster
        self.counters = counters
        self.indexes = Indexes(cluster)
        self.jobs = jobs
        self.newest = newest
        self.before = newest.state if newest else None
        self.folder = job_folder(plan.job)
        self.letter_index = open_letter_index(settings, plan, cluster)
        keys = RowKeys(plan.selection, plan.mapping)
        self.letters = DeadLetterFile(self.folder / FILE, settings.max_failures, keys, self.letter_index)
        # Made once: a write that was not heard of is known by its holder.
        self.begun = initial_state(settings, plan, self.before, self.letter_index)
        self.passes = Passes(plan, settings, source, self.begun)

    def run(self) -> Report:
        lease = Lease(self.jobs, self._held() if self.plan.unfinished else self._made(), self._now)
        try:
            report = self._work(lease)
        except (Interrupted, KeyboardInterrupt) as error:
            lease.interrupt(str(error))
            raise
        except IndexerError as error:
            lease.end(JobStatus.FAILED, str(error))
            if isinstance(error, UsageError):  # which it cannot be any more, for something was changed
                raise IndexerError(str(error)) from error
            raise
        lease.end(JobStatus.DONE)
        return report

    def _made(self) -> StoredJob:
        """Make the index, and then take the lock: of what Elasticsearch refuses nothing is left, nor anything lost."""
        self._asked(lambda: create_index(self.plan, self.cluster, self.begun))
        try:
            return self._held()
        except BaseException:
            with suppress(TargetError):  # must not hide what went wrong
                self.indexes.delete(self.plan.job)
            raise

    def _held(self) -> StoredJob:
        if self.letter_index is not None:
            self._asked(self.letter_index.prepare)
        return self._asked(lambda: take_lock(self.jobs, self.begun, self.newest))

    def _work(self, lease: Lease) -> Report:
        self._begin()
        self._load(lease)
        loaded = self.counters.snapshot()
        self._catch_up(lease)
        in_index = self._verified(lease)
        deleted = self._swap() if self.settings.switch else ()
        report = make_report(
            self.settings, self.plan, self.passes, self.counters, loaded,
            in_index=in_index, deleted=deleted, checkpoint_cpu_seconds=lease.cpu_seconds, letters=self.letters.path,
        )  # fmt: skip
        with file_errors(self.folder / "report.json") as file:
            file.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
        return report

    def _begin(self) -> None:
        if not self.plan.unfinished:
            self._asked(lambda: discard_replaced(self.plan, self.cluster, self.before))
        self.counters.begin(self.passes.phase, self.plan.rows, before=sum(part.read for part in self.passes.loaded))

    def _asked(self, call: Callable[[], Answer]) -> Answer:
        return with_retry(call, RetryPolicy(self.settings.patience), Event(), self.counters)

    def _load(self, lease: Lease) -> None:
        """Load all that is left of the load, or of the pass that it is in."""
        self._sound(lease, self._load_once)

    def _load_once(self, lease: Lease) -> None:
        Load(
            plan=self.plan,
            selection=self.passes.selection,
            settings=self.settings,
            source=self.source,
            cluster=self.cluster,
            counters=self.counters,
            letters=self.letters,
            tracker=self.passes.tracker,
            lease=lease,
        ).run()

    def _sound(self, lease: Lease, work: Callable[[Lease], Answer]) -> Answer:
        """Do this; where shards go away meanwhile, from the last sound checkpoint once they are back."""
        while True:
            try:
                return work(lease)
            except ShardsUnavailable as away:
                self.counters.wait(str(away))
                wait_for_shards(self.source, self.plan.selection.table, away, self.settings.patience, lease.hold)
                self.counters.calm()
                self.passes.restore(lease.state)

    def _catch_up(self, lease: Lease) -> None:
        """Read what was added since the plan, and then what was added while that was read; or what may have moved."""
        if self.settings.catch_up is None:
            if self._sound(lease, self._moved):
                self._read_more(lease, self.passes.all)
            return
        for _ in range(_ROUNDS):
            if self._read_more(lease, self.passes.later) < self.settings.page:
                return

    def _moved(self, lease: Lease) -> bool:
        with lease.held():
            moved = self._asked(self.passes.rows_may_have_moved)
        self._asked(lease.beat)  # which also finds out whether every shard was there to be asked
        return moved

    def _read_more(self, lease: Lease, freeze: Freeze) -> int:
        """Freeze another pass and load it; returns how many rows it read."""
        before = self.passes.caught_up
        self.counters.begin("catching up")
        self._sound(lease, lambda lease: self._freeze(lease, freeze))
        self._load(lease)
        return self.passes.caught_up - before

    def _freeze(self, lease: Lease, freeze: Freeze) -> None:
        with lease.held():
            self._asked(freeze)
        self._asked(lease.beat)  # which also finds out whether every shard was there to be asked

    def _verified(self, lease: Lease) -> int:
        """The documents in the index, once every row is in that was there at the start and still is.

        What is missing of slices is read again. Where only the whole tells that something is missing, for rows were
        deleted and others added, rows are read at first beyond the highest key that was frozen, then all of them, by a
        key that no UPDATE moves a row by.
        """
        for_the_whole = iter((self.passes.later, self.passes.all, self.passes.all))
        reason = ""
        for _ in range(_VERIFICATIONS):
            documents, short = self._sound(lease, self._compared)
            if short is None:
                return documents.all
            reason = short.reason
            freeze = partial(self.passes.again, short.slices) if short.slices else next(for_the_whole, None)
            if freeze is None:
                break
            self._read_more(lease, freeze)
        raise VerificationFailed(
            f"{reason}; the alias {self.plan.alias} was not moved: run the job again with --fresh, and check the"
            " source's shards."
        )

    def _compared(self, lease: Lease) -> tuple[DocumentCounts, Shortage | None]:
        """The documents in the index, and which rows are not among them."""
        with lease.held():
            documents = self._asked(self._counted)
            short = self._asked(lambda: shortage(self.source, self.passes.newest, documents, self.passes.dead))
        self._asked(lease.beat)  # which also finds out whether every shard was there to be counted
        return documents, short

    def _counted(self) -> DocumentCounts:
        self.counters.begin("verifying")
        self.indexes.finish(self.plan.job, self.plan.mapping.settings)
        with Snapshot(self.cluster, self.plan.job, self.settings.patience) as snapshot:
            documents = count_documents(self.plan, self.passes.newest, snapshot)
        verify_documents(self.plan, self.passes.loaded, self.passes.after, self.passes.newest, documents)
        return documents

    def _swap(self) -> tuple[str, ...]:
        self.counters.begin("switching")
        self._asked(lambda: self.indexes.switch(self.plan.alias, self.plan.job))
        return self._asked(lambda: self.indexes.delete_old(self.plan.alias, keep=self.settings.keep))

    def _now(self, before: JobState) -> JobState:
        """The job at this moment, for a checkpoint: nothing that was read while a shard was away gets into one.

        Raises:
            ShardsUnavailable: where a shard is away, so that pages since the last checkpoint may lack rows.
        """
        nulled = self.plan.unfinished.nulled if self.plan.unfinished else 0
        state = self.passes.into(replace(before, nulled=nulled + self.counters.snapshot().nulled))
        reason = unreadable_reason(self.source, self.plan.selection.table)
        if reason:
            raise ShardsUnavailable(reason)
        return state
