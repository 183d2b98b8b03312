"""Reconciliation: does the new index hold what the source held?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from indexer.errors import VerificationFailed
from indexer.job.counts import RowCounts, count_rows, count_slices, key_field, shard_rows
from indexer.job.passes import FullRead, Passes
from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.plan import Plan
from indexer.model.table.selection import Selection
from indexer.sink.snapshot import Snapshot
from indexer.source.protocol import Source

__all__ = ["DocumentCounts", "Shortage", "count_documents", "find_shortage", "verify_documents"]

_NAMED: Final = 3
"""Slices that a message names."""

_COUNTS: Final = 3
"""How often the source is counted, where a count has fewer rows than its shards report."""


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """What an index holds at one moment.

    Attributes:
        all: the documents in all.
        each: those in the slices of a reading, by number, as far as the index can count them.
    """

    all: int
    each: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Shortage:
    """Rows of the source that may not be in the index.

    Attributes:
        reason: what is missing, for people.
        slices: where it is missing; none where only the whole shows it.
    """

    reason: str
    slices: tuple[SliceProgress, ...] = ()


def count_documents(plan: Plan, reading: FullRead, snapshot: Snapshot) -> DocumentCounts:
    """Count the documents of an index, in all and by the slices of a reading."""
    key = key_field(reading.selection, plan.mapping)
    return DocumentCounts(snapshot.size, count_slices(snapshot, key, reading.slices))


def verify_documents(plan: Plan, passes: Passes, documents: DocumentCounts) -> None:
    """Compare the documents in the index, in all and by slice, with the rows that were acknowledged.

    A row that was acknowledged twice made one document: where an UPDATE moved it by its key from one page to another,
    where a later pass read it a second time, and where a response was lost and its batch was sent a second time. It may
    have left a slice, so that each may lack as many.

    What was written and not acknowledged is read once more, except rows that were deleted since, whose documents stay:
    so there may be as many documents as there were rows when the reading began.

    Args:
        plan: the job's plan.
        passes: what was read of each slice, by the load and the passes after it.
        documents: the documents in the index.

    Raises:
        VerificationFailed: where documents are missing, or somebody else added some.
    """
    reading, all_slices = passes.newest, (*passes.loaded, *passes.after)
    replaced = _replaced(all_slices)
    missing = [
        f"slice {each.number} has {documents.each[each.number]:,} where {each.read - each.dead:,} were acknowledged"
        for each in reading.slices
        if documents.each.get(each.number, each.read) < each.read - each.dead - replaced
    ]
    if missing:
        raise VerificationFailed(
            f"{plan.job} lacks documents: {'; '.join(missing[:_NAMED])}; the alias {plan.alias} was not moved:"
            " check that nobody else writes to the index, and run the job again with --fresh."
        )
    acknowledged = sum(each.read - each.dead for each in all_slices)
    # Where the table does not keep ids unique, a document that replaced another is a row lost.
    allowed = replaced if _unique(plan.selection) else _replaced(passes.after)
    if not acknowledged - allowed <= documents.all <= max(acknowledged, sum(each.rows for each in reading.slices)):
        raise VerificationFailed(_unexpected_count(plan, documents.all, acknowledged))


def find_shortage(source: Source, reading: FullRead, documents: DocumentCounts, dead: int) -> Shortage | None:
    """The rows that the source holds and the index does not; None where it has all that it must have.

    It must have as many as there were when the reading began, but no more than there are now, in all and of each slice.
    Where more rows of a slice were read than there were, some were added during the read, and others may have been
    missed in their stead: then it must have as many as there are now, unless the slice was read twice. `sys.shards` is
    queried each time, because a count lacks the rows of an unavailable shard without saying so.

    Args:
        source: the source.
        reading: the newest reading of all rows.
        documents: the documents in the index.
        dead: the documents that Elasticsearch rejected for good.
    """
    found = {each.number: documents.each.get(each.number, each.read - each.dead) + each.dead for each in reading.slices}
    doubted = [each for each in reading.slices if found[each.number] < each.rows or each.read != each.rows]
    now = _count_source(source, reading, {each.number for each in doubted})
    short = [
        each for each in doubted if found[each.number] < _required(each, now, reread=each.number in reading.reread)
    ]
    if short:
        return Shortage("; ".join(_missing(short, found, now)), tuple(short))
    total, rows = documents.all + dead, min(sum(each.rows for each in reading.slices), now.all)
    if total < rows:
        return Shortage(f"{total:,} of {now.all:,} rows of {reading.selection.table.name} are in the index")
    return None


def _count_source(source: Source, reading: FullRead, numbers: set[int]) -> RowCounts:
    """The rows that the source holds now; by slice only where its shards have no more than were counted."""
    for _ in range(_COUNTS):
        stored = shard_rows(source, reading.selection) or 0
        counted = count_rows(source, reading.selection, reading.slices, numbers)
        if counted.all >= stored:
            return counted
    return RowCounts(stored, {})


def _required(progress: SliceProgress, now: RowCounts, *, reread: bool) -> int:
    """How many rows of a slice must be in the index; all that were planned where the source could not be counted."""
    rows = now.each.get(progress.number, progress.rows)
    return rows if progress.read > progress.rows and not reread else min(progress.rows, rows)


def _missing(short: Iterable[SliceProgress], found: Mapping[int, int], now: RowCounts) -> Iterator[str]:
    for each in islice(short, _NAMED):
        rows = now.each.get(each.number, each.rows)
        yield f"of slice {each.number}, {found[each.number]:,} of {rows:,} rows are in the index"


def _replaced(slices: Iterable[SliceProgress]) -> int:
    return sum(each.replaced for each in slices)


def _unique(selection: Selection) -> bool:
    names = tuple(column.name for column in selection.id_columns)
    return selection.row_id is not None or names == selection.table.primary_key


def _unexpected_count(plan: Plan, documents: int, acknowledged: int) -> str:
    ids = ", ".join(column.name for column in plan.selection.id_columns) or plan.selection.row_id
    return (
        f"{plan.job} holds {documents:,} documents where {acknowledged:,} were acknowledged;"
        f" the alias {plan.alias} was not moved: check that _id, made of {ids}, is unique and that nobody else writes"
        " to the index."
    )
