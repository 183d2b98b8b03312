"""Verification of an index: what it is compared with and how closely, what was found, and its repair."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from math import ceil
from random import Random
from typing import Final

from indexer.errors import UsageError
from indexer.job.context import JobContext, open_context
from indexer.job.counts import count_slices, key_field, key_ranges, shard_rows
from indexer.job.provenance import Provenance, find_provenance
from indexer.job.shards import refuse_absent
from indexer.job.slices import slice_table
from indexer.model.job.checkpoint import AckTracker, SliceProgress, unread
from indexer.model.job.progress import Counters
from indexer.model.paging.window import Prefixes, Range
from indexer.pipeline.memory import peak_rss
from indexer.pipeline.pipeline import Pipeline
from indexer.settings import Settings
from indexer.sink.snapshot import Snapshot
from indexer.verify.comparison import DigestComparison, RowComparison
from indexer.verify.digest import ALL_BUCKETS
from indexer.verify.findings import (
    CheckLevel,
    Finding,
    FindingKind,
    Findings,
    RepairResult,
    Verification,
    slice_of,
)
from indexer.verify.repair import IndexRepair, repair_lock

__all__ = ["SAMPLE_SHARE", "sample_slices", "verify"]

SAMPLE_SHARE: Final = 0.01
"""The share of the rows that is compared by default."""

_REMEDY: Final = " and verify again; until then, a comparison proves nothing"


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
        share: the share of the rows in a sample: 0.01 is 1 %.
        max_deletes: repair what is wrong, and delete at most this share of the documents; only with a full check.
        watch: called once with a headline, and the counters that are added to.

    Raises:
        UsageError: for bad input, or an index that cannot be compared.
        ShardsUnavailable: where the table lacks shards, so that a comparison would prove nothing.
        IndexerError: for any other failure.
    """
    if max_deletes is not None and check is not CheckLevel.FULL:
        raise UsageError("--repair requires --full, which compares every row.")
    counters = Counters()
    with open_context(settings, counters) as context:
        provenance = find_provenance(settings, context)
        lock = nullcontext(_no_lock) if max_deletes is None else repair_lock(context, provenance)
        retry_seconds = context.limits.retry.seconds
        with lock as check_lock, Snapshot(context.cluster, provenance.served.index, retry_seconds) as snapshot:
            refuse_absent(context.source, provenance.selection.table, _REMEDY)
            slices = unread(slice_table(context.source, provenance.selection, settings.strategy, settings.page))
            run = _Run(context, provenance, snapshot, slices, check_lock)
            if watch is not None:
                watch(run.headline(check), counters)
            return run.run(check, share, max_deletes)


def _no_lock() -> None:
    """A verification that changes nothing needs no lock."""


@dataclass(slots=True)
class _Run:
    """One verification.

    Attributes:
        context: both servers, and the limits.
        provenance: how the index was made.
        snapshot: the index.
        slices: the table.
        check_lock: called before each write of a repair.
        findings: what is wrong.
        rejections: the ids of dead letters, and why they were rejected.
        compared: rows that were compared, where the counters have moved on since.
    """

    context: JobContext
    provenance: Provenance
    snapshot: Snapshot
    slices: tuple[SliceProgress, ...]
    check_lock: Callable[[], None]
    findings: Findings = field(init=False)
    rejections: dict[str, str] = field(init=False)
    compared: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.findings = Findings(self.slices)
        self.rejections = self.provenance.rejections(self.context)

    @property
    def counters(self) -> Counters:
        return self.context.counters

    def _refuse_absent(self) -> None:
        refuse_absent(self.context.source, self.provenance.selection.table, _REMEDY)

    @property
    def rows(self) -> int:
        return sum(progress.rows for progress in self.slices)

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
                self.counters.begin("comparing", sum(progress.rows for progress in some))
                self._compare(some)
            case CheckLevel.FULL:
                repair = self._compare_all(max_deletes)
        return self._report(check, repair)

    def _count(self) -> None:
        key = key_field(self.provenance.selection, self.provenance.mapping)
        for number, documents in count_slices(self.snapshot, key, self.slices).items():
            self.findings.counted(number, documents)

    def _compare_all(self, max_deletes: float | None) -> RepairResult | None:
        """Compare the digests of both sides, then the documents of the buckets that differ, one by one."""
        ranges = key_ranges(key_field(self.provenance.selection, self.provenance.mapping), self.slices)
        digests = DigestComparison(self._pipeline(self.slices), self.snapshot, ranges)
        buckets = digests.run()
        self._refuse_absent()
        if not buckets:
            return None if max_deletes is None else RepairResult()
        self.compared = self.counters.snapshot().rows_indexed
        self.counters.expect(self.rows)
        if max_deletes is None:
            self._record_extra(self._compare(self.slices, buckets))
            return None
        return self._repair(max_deletes, buckets, digests.documents(buckets))

    def _compare(
        self,
        slices: Sequence[SliceProgress],
        buckets: Container[int] = ALL_BUCKETS,
        repair: Callable[[Sequence[bytes]], None] = lambda _: None,
    ) -> RowComparison:
        comparison = RowComparison(
            pipeline=self._pipeline(slices),
            snapshot=self.snapshot,
            findings=self.findings,
            rejections=self.rejections,
            buckets=buckets,
            repair=repair,
        )
        comparison.run()
        self._refuse_absent()
        return comparison

    def _pipeline(self, slices: Sequence[SliceProgress]) -> Pipeline:
        return self.context.pipeline(self.provenance.selection, self.provenance.mapping, AckTracker(slices))

    def _record_extra(self, comparison: RowComparison) -> None:
        """Record the documents without a row, by the slice that their key lies in."""
        key = key_field(self.provenance.selection, self.provenance.mapping)
        for ids in comparison.extra():
            stored = self.snapshot.find(ids, key.name) if key else ()
            keys = {document.id: document.source.get(key.name) for document in stored} if key else {}
            for id_ in ids:
                self.findings.add(slice_of(keys.get(id_), self.slices), Finding(id_, FindingKind.EXTRA))

    def _repair(self, max_deletes: float, buckets: Container[int], documents: int) -> RepairResult:
        repair = IndexRepair(self.context, self.provenance.served, self.rejections, self.check_lock)
        comparison = self._compare(self.slices, buckets, repair.write)
        self._record_extra(comparison)
        extra = documents - len(comparison.matched)
        if extra:
            repair.delete(comparison, extra, int(self.snapshot.size * max_deletes))
        return repair.result()

    def _report(self, check: CheckLevel, repair: RepairResult | None) -> Verification:
        now = self.counters.snapshot()
        compared = now.rows_indexed if self.compared is None else self.compared
        selection = self.provenance.selection
        return Verification(
            table=str(selection.table.name),
            index=self.provenance.served.index,
            check=check,
            rows=self.rows,
            shard_rows=shard_rows(self.context.source, selection),
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


_MIN_SAMPLE: Final = 1_000
"""Rows that a sample has at least; of a small table, all."""


def sample_slices(slices: Sequence[SliceProgress], share: float, random: Random) -> tuple[SliceProgress, ...]:
    """About that share of the rows, as parts of slices with their numbers; slices without a part are left out.

    Of each slice that is a range of keys, one random range within it is taken. Text is taken by whole prefixes, and
    what has no ranges (rows without a key, a keyset) by whole slices, both drawn from the whole table.
    """
    rows = sum(progress.rows for progress in slices)
    share = max(share, min(1.0, _MIN_SAMPLE / max(1, rows)))
    if share >= 1:
        return tuple(slices)
    ranges = [progress for progress in slices if _range(progress) is not None]
    others = [progress for progress in slices if _range(progress) is None]
    return (*(_within(progress, share, random) for progress in ranges), *_drawn(others, share, random))


def _range(progress: SliceProgress) -> Range | None:
    match progress.windows:
        case (Range() as window,):
            return window
        case _:
            return None


def _within(progress: SliceProgress, share: float, random: Random) -> SliceProgress:
    window = _range(progress)
    if window is None:  # pragma: no cover - the caller has checked
        return progress
    width = max(1, ceil((window.hi - window.lo) * share))
    lo = random.randint(window.lo, window.hi - width)
    return replace(progress, windows=(Range(lo, lo + width),), rows=ceil(progress.rows * share))


def _drawn(slices: Iterable[SliceProgress], share: float, random: Random) -> Iterable[SliceProgress]:
    pieces = [piece for progress in slices for piece in _pieces(progress)]
    remaining = sum(piece.rows for piece in pieces) * share
    random.shuffle(pieces)
    drawn: dict[int, SliceProgress] = {}
    for piece in pieces:
        if remaining <= 0:
            break
        remaining -= piece.rows
        before = drawn.get(piece.number, replace(piece, windows=(), rows=0))
        drawn[piece.number] = replace(before, windows=before.windows + piece.windows, rows=before.rows + piece.rows)
    return drawn.values()


def _pieces(progress: SliceProgress) -> Iterator[SliceProgress]:
    for window in progress.windows:
        if isinstance(window, Prefixes):
            for prefix in window.prefixes:
                yield replace(progress, windows=(Prefixes((prefix,)),), rows=prefix.rows)
        else:
            yield progress
