"""The verification of an index: what it is compared with and how closely, what was found, and its repair."""

import resource
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from typing import Final

from indexer.errors import Refused, SourceUnavailable
from indexer.job.comparing import Comparing
from indexer.job.counting import key_ranges
from indexer.job.lease import free_lock
from indexer.job.mending import Mending
from indexer.job.subject import Subject, find_subject
from indexer.job.survey import survey
from indexer.model.ledger import Left, whole
from indexer.model.progress import Counters
from indexer.model.sampling import sample
from indexer.model.verification import Check, Finding, Findings, Kind, Repair, Verification, slice_of
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.source.open import open_source
from indexer.target.client import Cluster, connect
from indexer.target.jobs import Jobs
from indexer.target.scan import Snapshot

__all__ = ["SHARE", "verify"]

SHARE: Final = 0.01
"""The share of the rows that is compared where nothing else is asked for."""


def verify(
    settings: Settings,
    check: Check = Check.SAMPLE,
    *,
    share: float = SHARE,
    max_deletes: float | None = None,
    watch: Callable[[str, Counters], None] | None = None,
) -> Verification:
    """Compare a table with an index; changes nothing, except where `max_deletes` is given.

    Args:
        settings: the servers, the index, and the options that the index was made with, where they are not known.
        check: how closely.
        share: of the rows, for a sample: 0.01 is 1 %.
        max_deletes: repair what is wrong, and delete at most this share of the documents; only with a full check.
        watch: called once with a headline, and the counters that are added to.

    Raises:
        Refused: for bad input, or an index that cannot be compared.
        SourceUnavailable: where shards of the table are away, so that a comparison would say nothing.
        IndexerError: for any other failure.
    """
    if max_deletes is not None and check is not Check.FULL:
        raise Refused("--repair needs every row compared: add --full.")
    counters = Counters()
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        jobs = Jobs(cluster, settings.jobs_index)
        subject = find_subject(settings, source, cluster, jobs)
        if max_deletes is not None:
            _refuse_running(jobs, subject, counters)
        with Snapshot(cluster, subject.served.index, settings.patience) as snapshot:
            run = _Run(settings, subject, source, cluster, snapshot, counters)
            if watch is not None:
                watch(run.headline(check), counters)
            return run.run(check, share, max_deletes)


def _refuse_running(jobs: Jobs, subject: Subject, counters: Counters) -> None:
    stored = jobs.newest(subject.alias)
    if stored is not None:
        free_lock(jobs, subject.alias, counters.wait)


@dataclass(slots=True)
class _Run:
    settings: Settings
    subject: Subject
    source: Source
    cluster: Cluster
    snapshot: Snapshot
    counters: Counters
    slices: tuple[Left, ...] = field(init=False)
    findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        selection = self.subject.selection
        absent = self.source.absent(selection.table)
        if absent:
            raise SourceUnavailable(
                f"{selection.table.name} cannot be read whole, so nothing can be said of the index:"
                f" {'; '.join(absent[:3])}; bring its nodes back and verify again."
            )
        self.slices = whole(survey(self.source, selection, self.settings.strategy, self.settings.page))
        self.findings = Findings(self.slices)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.slices)

    def headline(self, check: Check) -> str:
        return (
            f"{self.subject.selection.table.name}: {self.rows:,} rows against {self.snapshot.size:,} documents of"
            f" {self.subject.served.index}, {check}"
        )

    def run(self, check: Check, share: float, max_deletes: float | None) -> Verification:
        repair: Repair | None = None
        self.counters.begin("comparing", self.rows)
        match check:
            case Check.COUNTS:
                self._count()
            case Check.SAMPLE:
                some = sample(self.slices, share, Random())  # noqa: S311  # a sample is no secret
                self.counters.begin("comparing", sum(part.rows for part in some))
                self._comparing(some).run()
            case Check.FULL if max_deletes is None:
                comparing = self._comparing(self.slices)
                comparing.run()
                self._note_extra(comparing)
            case Check.FULL:
                repair = self._repaired(max_deletes or 0.0)
        return self._verification(check, repair)

    def _count(self) -> None:
        for number, query in key_ranges(self.subject, self.slices):
            self.findings.counted(number, self.snapshot.count(query))

    def _comparing(self, slices: Sequence[Left], mend: Callable[[Sequence[bytes]], None] = lambda _: None) -> Comparing:
        return Comparing(
            settings=self.settings,
            selection=self.subject.selection,
            mapping=self.subject.mapping,
            source=self.source,
            snapshot=self.snapshot,
            slices=slices,
            counters=self.counters,
            findings=self.findings,
            mend=mend,
        )

    def _note_extra(self, comparing: Comparing) -> None:
        """Record what no row stands behind, by the slice that its key lies in."""
        lead = self.subject.lead_field
        for ids in comparing.extra():
            for held in self.snapshot.find(ids):
                value = held.source.get(lead) if lead else None
                self.findings.add(slice_of(value, self.slices), Finding(held.id, Kind.EXTRA))

    def _repaired(self, max_deletes: float) -> Repair:
        mending = Mending(self.cluster, self.subject.served, self.settings)
        comparing = self._comparing(self.slices, mending.write)
        comparing.run()
        self._note_extra(comparing)
        extra = self.snapshot.size - len(comparing.seen)
        if extra:
            mending.delete(comparing, extra, int(self.snapshot.size * max_deletes))
        return mending.done()

    def _verification(self, check: Check, repair: Repair | None) -> Verification:
        now = self.counters.snapshot()
        selection = self.subject.selection
        return Verification(
            table=str(selection.table.name),
            index=self.subject.served.index,
            check=check,
            rows=self.rows,
            shard_rows=None if selection.where is not None else self.source.stored_rows(selection.table),
            documents=self.snapshot.size,
            compared=now.rows_indexed,
            slices=self.findings.wrong(),
            left_out=self.subject.left_out,
            dead_letters=self.subject.dead_letters,
            repair=repair,
            seconds=round(now.seconds, 3),
            rows_per_second=round(now.rows_per_second, 1),
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
