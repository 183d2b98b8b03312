"""The job: plan, load, verify, swap."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Final

import orjson

from indexer import __version__
from indexer.errors import IndexerError, Interrupted, Refused, ShardsAway, SourceUnavailable
from indexer.job.dead_letters import FILE, DeadLetterFile
from indexer.job.folder import job_folder
from indexer.job.lease import BEAT, Lease, free_lock, this_process
from indexer.job.load import Load
from indexer.job.memory import peak_rss
from indexer.job.planning import alias_of, make_plan
from indexer.job.verifying import verify_counts
from indexer.model.job import RESUMABLE, JobState, Status
from indexer.model.json import JsonObject
from indexer.model.ledger import Ledger
from indexer.model.plan import Plan
from indexer.model.progress import Counters, Progress
from indexer.model.report import Report
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.source.open import open_source
from indexer.target.client import Cluster, connect
from indexer.target.index import Indexes
from indexer.target.jobs import Jobs, Stored
from indexer.target.scan import Snapshot

__all__ = ["plan", "reindex"]

_NAMED: Final = 5
"""How many absent shards a message names."""


def plan(settings: Settings) -> Plan:
    """What `reindex` would do with these settings; touches nothing.

    Raises:
        Refused: for bad input.
        SourceError, TargetError: where a server fails.
    """
    with _servers(settings) as (source, cluster):
        newest = Jobs(cluster, settings.jobs_index).newest(alias_of(settings))
        return make_plan(settings, source, cluster, newest.state if newest else None)


def reindex(settings: Settings, *, watch: Callable[[Plan, Counters], None] | None = None) -> Report:
    """Stream a table into a fresh index, prove that every row arrived, and move the alias.

    Args:
        settings: what to do; see `Settings`.
        watch: called once, when the plan is made, with the counters that the job will add to.

    Returns:
        What was done. `Report.exit_code` is 3 where documents were rejected for good.

    Raises:
        Refused: for bad input; nothing was created.
        VerificationFailed: where the index does not hold every row; the alias was not moved.
        IndexerError: for any other failure; the old index is still served.
    """
    counters = Counters()
    with _servers(settings) as (source, cluster):
        jobs = Jobs(cluster, settings.jobs_index)
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
        jobs: Jobs,
        newest: Stored | None,
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.source = source
        self.cluster = cluster
        self.counters = counters
        self.indexes = Indexes(cluster)
        self.jobs = jobs
        self.newest = newest
        self.ledger = Ledger(plan.left)
        self.folder = job_folder(plan.job)
        self.letters = DeadLetterFile(self.folder / FILE, settings.max_failures)

    def run(self) -> Report:
        lease = Lease(self.jobs, self.jobs.write(self._state(), self.newest), self._now)
        try:
            report = self._work(lease)
        except Refused:
            self.jobs.forget(self._state())
            raise
        except Interrupted as error:
            lease.end(Status.INTERRUPTED, str(error))
            raise
        except (IndexerError, KeyboardInterrupt) as error:
            lease.end(Status.FAILED, str(error))
            raise
        lease.end(Status.DONE)
        return report

    def _work(self, lease: Lease) -> Report:
        self._begin()
        self.counters.begin("loading", self.plan.rows, before=sum(part.read for part in self.plan.left))
        self._load(lease)
        loaded = self.counters.snapshot()
        self.counters.begin("verifying")
        self.indexes.finish(self.plan.job, self.plan.mapping.settings)
        with Snapshot(self.cluster, self.plan.job, self.settings.patience) as snapshot:
            verify_counts(self.plan, self.ledger.left(), snapshot, self.source)
            in_index = snapshot.size
        deleted = self._swap() if self.settings.switch else ()
        report = self._report(loaded, in_index, deleted)
        (self.folder / "report.json").write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
        return report

    def _begin(self) -> None:
        """Make the index; with `--fresh`, remove what the unfinished job made."""
        if self.plan.unfinished:
            return
        old = self.newest.state if self.newest else None
        if old is not None and old.status in RESUMABLE and old.job not in self.indexes.current(self.plan.alias):
            self.indexes.delete(old.job)
        mapping = self.plan.mapping
        table = self.plan.selection.table
        meta: JsonObject = {**mapping.meta, "version": __version__, "table": str(table.name), "job": self.plan.job}
        self.indexes.create(self.plan.job, mapping.mappings, mapping.settings, meta)

    def _load(self, lease: Lease) -> None:
        """Load all that is left; where shards go away meanwhile, from the last sound checkpoint once they are back."""
        while True:
            try:
                Load(
                    plan=self.plan,
                    settings=self.settings,
                    source=self.source,
                    cluster=self.cluster,
                    counters=self.counters,
                    letters=self.letters,
                    ledger=self.ledger,
                    lease=lease,
                ).run()
            except ShardsAway as away:
                self._wait_for_shards(lease, away)
                self.ledger = Ledger(lease.state.left)
            else:
                return

    def _wait_for_shards(self, lease: Lease, away: ShardsAway) -> None:
        until = time.monotonic() + self.settings.patience
        self.counters.wait(str(away))
        while reason := self._incomplete():
            if time.monotonic() > until:
                raise ShardsAway(reason) from away
            time.sleep(BEAT)
            lease.hold()

    def _incomplete(self) -> str:
        """Why the source cannot be read whole at this moment; empty where it can."""
        try:
            absent = self.source.absent(self.plan.selection.table)
        except SourceUnavailable as error:  # whoever cannot ask for the shards cannot know that they are there
            return f"The source does not tell whether its shards are there: {error}"
        return _missing(absent) if absent else ""

    def _swap(self) -> tuple[str, ...]:
        self.counters.begin("switching")
        self.indexes.switch(self.plan.alias, self.plan.job)
        return self.indexes.delete_old(self.plan.alias, keep=self.settings.keep)

    def _state(self) -> JobState:
        """The job as it begins, or goes on."""
        holder = this_process()
        return JobState(
            job=self.plan.job,
            alias=self.plan.alias,
            table=str(self.plan.selection.table.name),
            status=Status.RUNNING,
            holder=holder,
            beat=self.newest.state.beat if self.newest else 0,
            heartbeat=holder.since,
            terms=self.plan.terms,
            left=self.plan.left,
            nulled=self.plan.unfinished.nulled if self.plan.unfinished else 0,
        )

    def _now(self, before: JobState) -> JobState:
        """The job at this moment, for a checkpoint: nothing that was read while a shard was away gets into one.

        Raises:
            ShardsAway: where a shard is away, so that pages since the last checkpoint may lack rows.
        """
        nulled = self.plan.unfinished.nulled if self.plan.unfinished else 0
        state = replace(before, left=self.ledger.left(), nulled=nulled + self.counters.snapshot().nulled)
        reason = self._incomplete()
        if reason:
            raise ShardsAway(reason)
        return state

    def _report(self, loaded: Progress, in_index: int, deleted: tuple[str, ...]) -> Report:
        p50, p95 = self.counters.page_milliseconds()
        left = self.ledger.left()
        dead = sum(part.dead for part in left)
        return Report(
            job=self.plan.job,
            table=str(self.plan.selection.table.name),
            index=self.plan.job,
            alias=self.plan.alias,
            switched=self.settings.switch,
            resumed=self.plan.unfinished is not None,
            rows_read=sum(part.read for part in left),
            rows_indexed=in_index,
            dead_letters=dead,
            nulled=loaded.nulled,
            seconds=round(loaded.seconds, 3),
            rows_per_second=round(loaded.rows_per_second, 1),
            pages=loaded.pages,
            page_ms_p50=round(p50, 2),
            page_ms_p95=round(p95, 2),
            peak_rss_bytes=peak_rss(),
            strategy=str(self.settings.strategy),
            key=",".join(self.plan.selection.key.names),
            dead_letter_file=str(self.letters.path) if dead else None,
            deleted=deleted,
        )


def _missing(absent: tuple[str, ...]) -> str:
    named = "; ".join(absent[:_NAMED]) + (f"; and {len(absent) - _NAMED} more" if len(absent) > _NAMED else "")
    return f"The source is not complete: {named}. Bring its nodes back and run the same command again to go on."
