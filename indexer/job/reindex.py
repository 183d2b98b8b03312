"""The job: plan, load, verify, swap."""

import resource
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import orjson

from indexer import __version__
from indexer.job.dead_letters import DeadLetterFile
from indexer.job.folder import job_folder
from indexer.job.load import Load
from indexer.job.planning import make_plan
from indexer.job.verifying import verify_counts
from indexer.model.json import JsonObject
from indexer.model.plan import Plan
from indexer.model.progress import Counters, Progress
from indexer.model.report import Report
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.source.open import open_source
from indexer.target.client import Cluster, connect
from indexer.target.index import Indexes

__all__ = ["plan", "reindex"]


def plan(settings: Settings) -> Plan:
    """What `reindex` would do with these settings; touches nothing.

    Raises:
        Refused: for bad input.
        SourceError, TargetError: where a server fails.
    """
    with _servers(settings) as (source, cluster):
        return make_plan(settings, source, cluster)


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
        made = make_plan(settings, source, cluster)
        if watch is not None:
            watch(made, counters)
        return _Job(settings, made, source, cluster, counters).run()


@contextmanager
def _servers(settings: Settings) -> Iterator[tuple[Source, Cluster]]:
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        yield source, cluster


@dataclass(slots=True)
class _Job:
    settings: Settings
    plan: Plan
    source: Source
    cluster: Cluster
    counters: Counters

    def run(self) -> Report:
        indexes = Indexes(self.cluster)
        mapping = self.plan.mapping
        indexes.create(self.plan.job, mapping.mappings, mapping.settings, self._meta())
        folder = job_folder(self.plan.job)
        with DeadLetterFile(folder / "dead_letters.ndjson", self.settings.max_failures) as letters:
            self.counters.begin("loading", self.plan.rows)
            Load(self.plan, self.settings, self.source, self.cluster, self.counters, letters).run()
        loaded = self.counters.snapshot()
        self.counters.begin("verifying")
        indexes.finish(self.plan.job, mapping.settings)
        in_index = indexes.count(self.plan.job)
        verify_counts(self.plan, loaded, in_index, self.source)
        deleted = self._swap(indexes) if self.settings.switch else ()
        report = self._report(loaded, in_index, letters, deleted)
        (folder / "report.json").write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
        return report

    def _swap(self, indexes: Indexes) -> tuple[str, ...]:
        self.counters.begin("switching")
        indexes.switch(self.plan.alias, self.plan.job)
        return indexes.delete_old(self.plan.alias, keep=self.settings.keep)

    def _meta(self) -> JsonObject:
        table = self.plan.selection.table
        return {"version": __version__, "table": str(table.name), "job": self.plan.job}

    def _report(self, loaded: Progress, in_index: int, letters: DeadLetterFile, deleted: tuple[str, ...]) -> Report:
        p50, p95 = self.counters.page_milliseconds()
        return Report(
            job=self.plan.job,
            table=str(self.plan.selection.table.name),
            index=self.plan.job,
            alias=self.plan.alias,
            switched=self.settings.switch,
            rows_read=loaded.rows_read,
            rows_indexed=in_index,
            dead_letters=loaded.dead_letters,
            nulled=loaded.nulled,
            seconds=round(loaded.seconds, 3),
            rows_per_second=round(loaded.rows_per_second, 1),
            pages=loaded.pages,
            page_ms_p50=round(p50, 2),
            page_ms_p95=round(p95, 2),
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            strategy=str(self.settings.strategy),
            key=",".join(self.plan.selection.key.names),
            dead_letter_file=str(letters.path) if letters.count else None,
            deleted=deleted,
        )
