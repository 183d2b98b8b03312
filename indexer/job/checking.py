"""The verification of an index: what it is compared with and how closely, what was found, and its repair."""

from collections.abc import Callable, Container, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import Final

from indexer.errors import Refused, SourceUnavailable
from indexer.job.comparing import Comparing
from indexer.job.counting import count_slices, key_field, key_ranges, shard_rows
from indexer.job.memory import peak_rss
from indexer.job.mending import Mending
from indexer.job.repair_lock import repair_lock
from indexer.job.shards import lacking
from indexer.job.stream import Stream
from indexer.job.subject import Subject, find_subject
from indexer.job.summing import Summing
from indexer.job.survey import survey
from indexer.model.digest import EVERY
from indexer.model.ledger import Ledger, Left, whole
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
        lock = nullcontext(_nothing) if max_deletes is None else repair_lock(jobs, subject, counters.wait)
        with lock as ours, Snapshot(cluster, subject.served.index, settings.patience) as snapshot:
            run = _Run(settings, subject, source, cluster, snapshot, counters, ours)
            if watch is not None:
                watch(run.headline(check), counters)
            return run.run(check, share, max_deletes)


def _nothing() -> None:
    """What is read needs no lock."""


@dataclass(slots=True)
class _Run:
    settings: Settings
    subject: Subject
    source: Source
    cluster: Cluster
    snapshot: Snapshot
    counters: Counters
    ours: Callable[[], None]
    slices: tuple[Left, ...] = field(init=False)
    findings: Findings = field(init=False)
    compared: int | None = None

    def __post_init__(self) -> None:
        self._refuse_absent()
        self.slices = whole(survey(self.source, self.subject.selection, self.settings.strategy, self.settings.page))
        self.findings = Findings(self.slices)

    def _refuse_absent(self) -> None:
        table = self.subject.selection.table
        absent = self.source.absent(table)
        if absent:
            raise SourceUnavailable(
                f"{lacking(table, absent)}; nothing can be said of the index: bring its nodes back and verify again."
            )

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
                self._refuse_absent()
            case Check.SAMPLE:
                some = sample(self.slices, share, Random())  # noqa: S311  # a sample is no secret
                self.counters.begin("comparing", sum(part.rows for part in some))
                self._compared(some)
            case Check.FULL:
                repair = self._in_full(max_deletes)
        return self._verification(check, repair)

    def _count(self) -> None:
        key = key_field(self.subject.selection, self.subject.mapping)
        for number, documents in count_slices(self.snapshot, key, self.slices).items():
            self.findings.counted(number, documents)

    def _in_full(self, max_deletes: float | None) -> Repair | None:
        """Compare the sums of everything, then the documents of the buckets that differ, one by one."""
        ranges = key_ranges(key_field(self.subject.selection, self.subject.mapping), self.slices)
        summing = Summing(self._stream(self.slices), self.snapshot, ranges)
        buckets = summing.run()
        self._refuse_absent()
        if not buckets:
            return None if max_deletes is None else Repair()
        self.compared = self.counters.snapshot().rows_indexed
        self.counters.expect(self.rows)
        if max_deletes is None:
            self._note_extra(self._compared(self.slices, buckets))
            return None
        return self._repaired(max_deletes, buckets, summing.documents(buckets))

    def _compared(
        self,
        slices: Sequence[Left],
        buckets: Container[int] = EVERY,
        mend: Callable[[Sequence[bytes]], None] = lambda _: None,
    ) -> Comparing:
        comparing = Comparing(
            stream=self._stream(slices),
            snapshot=self.snapshot,
            findings=self.findings,
            rejected=self.subject.rejected,
            buckets=buckets,
            mend=mend,
        )
        comparing.run()
        self._refuse_absent()
        return comparing

    def _stream(self, slices: Sequence[Left]) -> Stream:
        subject = self.subject
        return Stream(self.settings, subject.selection, subject.mapping, self.source, self.counters, Ledger(slices))

    def _note_extra(self, comparing: Comparing) -> None:
        """Record what no row stands behind, by the slice that its key lies in."""
        key = key_field(self.subject.selection, self.subject.mapping)
        for ids in comparing.extra():
            keys = {held.id: held.source.get(key.name) for held in self.snapshot.find(ids, key.name)} if key else {}
            for id_ in ids:
                self.findings.add(slice_of(keys.get(id_), self.slices), Finding(id_, Kind.EXTRA))

    def _repaired(self, max_deletes: float, buckets: Container[int], documents: int) -> Repair:
        subject = self.subject
        mending = Mending(self.cluster, subject.served, self.settings, rejected=subject.rejected, ours=self.ours)
        comparing = self._compared(self.slices, buckets, mending.write)
        self._note_extra(comparing)
        extra = documents - len(comparing.seen)
        if extra:
            mending.delete(comparing, extra, int(self.snapshot.size * max_deletes))
        return mending.done()

    def _verification(self, check: Check, repair: Repair | None) -> Verification:
        now = self.counters.snapshot()
        compared = now.rows_indexed if self.compared is None else self.compared
        selection = self.subject.selection
        return Verification(
            table=str(selection.table.name),
            index=self.subject.served.index,
            check=check,
            rows=self.rows,
            shard_rows=shard_rows(self.source, selection),
            documents=self.snapshot.size,
            compared=compared,
            slices=self.findings.wrong(),
            left_out=self.subject.left_out,
            dead_letters=self.subject.dead_letters,
            repair=repair,
            seconds=round(now.seconds, 3),
            rows_per_second=round(compared / now.seconds, 1) if now.seconds else 0.0,
            peak_rss_bytes=peak_rss(),
        )
