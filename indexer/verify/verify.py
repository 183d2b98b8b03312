"""The verification of an index: what it is compared with and how closely, what was found, and its repair."""

from collections.abc import Callable, Container, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import Final

from indexer.errors import SourceUnavailable, UsageError
from indexer.job.counts import count_slices, key_field, key_ranges, shard_rows
from indexer.job.planner import slice_table
from indexer.job.provenance import Provenance, find_provenance
from indexer.job.shards import absent_text
from indexer.model.job.checkpoint import AckTracker, SliceProgress, unread
from indexer.model.job.progress import Counters
from indexer.pipeline.memory import peak_rss
from indexer.pipeline.pipeline import Pipeline
from indexer.settings import Settings
from indexer.sink.client import Cluster, connect
from indexer.sink.job_store import JobStore
from indexer.sink.snapshot import Snapshot
from indexer.source.open import open_source
from indexer.source.protocol import Source
from indexer.verify.comparison import DigestComparison, RowComparison
from indexer.verify.digest import ALL_BUCKETS
from indexer.verify.findings import (
    CheckLevel,
    Finding,
    FindingKind,
    Findings,
    RepairResult,
    Verification,
    sample_slices,
    slice_of,
)
from indexer.verify.repair import IndexRepair, repair_lock

__all__ = ["SAMPLE_SHARE", "verify"]

SAMPLE_SHARE: Final = 0.01
"""The share of the rows that is compared where nothing else is asked for."""


def verify(
    settings: Settings,
    check: CheckLevel = CheckLevel.SAMPLE,
    *,
    share: float = SAMPLE_SHARE,
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
        UsageError: for bad input, or an index that cannot be compared.
        SourceUnavailable: where shards of the table are away, so that a comparison would say nothing.
        IndexerError: for any other failure.
    """
    if max_deletes is not None and check is not CheckLevel.FULL:
        raise UsageError("--repair needs every row compared: add --full.")
    counters = Counters()
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        jobs = JobStore(cluster, settings.jobs_index)
        provenance = find_provenance(settings, source, cluster, jobs)
        lock = nullcontext(_nothing) if max_deletes is None else repair_lock(jobs, provenance, counters.wait)
        with lock as ours, Snapshot(cluster, provenance.served.index, settings.patience) as snapshot:
            run = _Run(settings, provenance, source, cluster, snapshot, counters, ours)
            if watch is not None:
                watch(run.headline(check), counters)
            return run.run(check, share, max_deletes)


def _nothing() -> None:
    """What is read needs no lock."""


@dataclass(slots=True)
class _Run:
    settings: Settings
    provenance: Provenance
    source: Source
    cluster: Cluster
    snapshot: Snapshot
    counters: Counters
    ours: Callable[[], None]
    slices: tuple[SliceProgress, ...] = field(init=False)
    findings: Findings = field(init=False)
    compared: int | None = None

    def __post_init__(self) -> None:
        self._refuse_absent()
        self.slices = unread(
            slice_table(self.source, self.provenance.selection, self.settings.strategy, self.settings.page)
        )
        self.findings = Findings(self.slices)

    def _refuse_absent(self) -> None:
        table = self.provenance.selection.table
        absent = self.source.absent(table)
        if absent:
            raise SourceUnavailable(
                f"{absent_text(table, absent)}; nothing can be said of the index: bring its nodes back and verify again."
            )

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.slices)

    def headline(self, check: CheckLevel) -> str:
        return (
            f"{self.provenance.selection.table.name}: {self.rows:,} rows against {self.snapshot.size:,} documents of"
            f" {self.provenance.served.index}, {check}"
        )

    def run(self, check: CheckLevel, share: float, max_deletes: float | None) -> Verification:
        repair: RepairResult | None = None
        self.counters.begin("comparing", self.rows)
        match check:
            case CheckLevel.COUNTS:
                self._count()
                self._refuse_absent()
            case CheckLevel.SAMPLE:
                some = sample_slices(self.slices, share, Random())  # noqa: S311  # a sample is no secret
                self.counters.begin("comparing", sum(part.rows for part in some))
                self._compared(some)
            case CheckLevel.FULL:
                repair = self._in_full(max_deletes)
        return self._verification(check, repair)

    def _count(self) -> None:
        key = key_field(self.provenance.selection, self.provenance.mapping)
        for number, documents in count_slices(self.snapshot, key, self.slices).items():
            self.findings.counted(number, documents)

    def _in_full(self, max_deletes: float | None) -> RepairResult | None:
        """Compare the sums of everything, then the documents of the buckets that differ, one by one."""
        ranges = key_ranges(key_field(self.provenance.selection, self.provenance.mapping), self.slices)
        summing = DigestComparison(self._stream(self.slices), self.snapshot, ranges)
        buckets = summing.run()
        self._refuse_absent()
        if not buckets:
            return None if max_deletes is None else RepairResult()
        self.compared = self.counters.snapshot().rows_indexed
        self.counters.expect(self.rows)
        if max_deletes is None:
            self._note_extra(self._compared(self.slices, buckets))
            return None
        return self._repaired(max_deletes, buckets, summing.documents(buckets))

    def _compared(
        self,
        slices: Sequence[SliceProgress],
        buckets: Container[int] = ALL_BUCKETS,
        mend: Callable[[Sequence[bytes]], None] = lambda _: None,
    ) -> RowComparison:
        comparing = RowComparison(
            stream=self._stream(slices),
            snapshot=self.snapshot,
            findings=self.findings,
            rejected=self.provenance.rejected,
            buckets=buckets,
            mend=mend,
        )
        comparing.run()
        self._refuse_absent()
        return comparing

    def _stream(self, slices: Sequence[SliceProgress]) -> Pipeline:
        provenance = self.provenance
        return Pipeline(
            self.settings, provenance.selection, provenance.mapping, self.source, self.counters, AckTracker(slices)
        )

    def _note_extra(self, comparing: RowComparison) -> None:
        """Record what no row stands behind, by the slice that its key lies in."""
        key = key_field(self.provenance.selection, self.provenance.mapping)
        for ids in comparing.extra():
            keys = {held.id: held.source.get(key.name) for held in self.snapshot.find(ids, key.name)} if key else {}
            for id_ in ids:
                self.findings.add(slice_of(keys.get(id_), self.slices), Finding(id_, FindingKind.EXTRA))

    def _repaired(self, max_deletes: float, buckets: Container[int], documents: int) -> RepairResult:
        provenance = self.provenance
        mending = IndexRepair(
            self.cluster, provenance.served, self.settings, rejected=provenance.rejected, ours=self.ours
        )
        comparing = self._compared(self.slices, buckets, mending.write)
        self._note_extra(comparing)
        extra = documents - len(comparing.seen)
        if extra:
            mending.delete(comparing, extra, int(self.snapshot.size * max_deletes))
        return mending.done()

    def _verification(self, check: CheckLevel, repair: RepairResult | None) -> Verification:
        now = self.counters.snapshot()
        compared = now.rows_indexed if self.compared is None else self.compared
        selection = self.provenance.selection
        return Verification(
            table=str(selection.table.name),
            index=self.provenance.served.index,
            check=check,
            rows=self.rows,
            shard_rows=shard_rows(self.source, selection),
            documents=self.snapshot.size,
            compared=compared,
            slices=self.findings.wrong(),
            left_out=self.provenance.left_out,
            dead_letters=self.provenance.dead_letters,
            repair=repair,
            seconds=round(now.seconds, 3),
            rows_per_second=round(compared / now.seconds, 1) if now.seconds else 0.0,
            peak_rss_bytes=peak_rss(),
        )
