"""Verifying: does the new index hold what the source held?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from indexer.errors import VerificationFailed
from indexer.job.counts import RowCounts, count_rows, count_slices, key_field, shard_rows
from indexer.job.passes import FullRead
from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.plan import Plan
from indexer.model.table.selection import Selection
from indexer.sink.snapshot import Snapshot
from indexer.source.protocol import Source

__all__ = ["DocumentCounts", "Shortage", "count_documents", "shortage", "verify_documents"]

_NAMED: Final = 3
"""How many slices a message names."""

_COUNTS: Final = 3
"""How often the source is counted, where a count has fewer rows than its shards say that they hold."""


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """What an index holds at one moment.

    Attributes:
        all: the documents in all.
        each: those in the slices of a reading, by number, as far as the index can be asked for them.
    """

    all: int
    each: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Shortage:
    """Rows of the source that may not be in the index.

    Attributes:
        reason: what is missing, for people.
        slices: where it is missing; none where only the whole tells.
    """

    reason: str
    slices: tuple[SliceProgress, ...] = ()


def count_documents(plan: Plan, reading: FullRead, snapshot: Snapshot) -> DocumentCounts:
    """Count the documents of an index, in all and by the slices of a reading."""
    return DocumentCounts(
        snapshot.size, count_slices(snapshot, key_field(reading.selection, plan.mapping), reading.slices)
    )


def verify_documents(
    plan: Plan,
    loaded: Sequence[SliceProgress],
    later: Sequence[SliceProgress],
    reading: FullRead,
    documents: DocumentCounts,
) -> None:
    """Compare the documents in the index, in all and by slice, with the rows that were acknowledged.

    A row that was acknowledged twice made one document: where an UPDATE moved it by its key from one page to another,
    where a later pass read it again, and where an answer was lost and its batch was sent again. It may have left a
    slice, so that each may lack as many.

    What was written and not acknowledged is read again, but for rows that were deleted since, whose documents stay: so
    there may be as many documents as there were rows when the reading began.

    Args:
        plan: the job's plan.
        loaded: the slices of the load, with what was read of each.
        later: those of the passes after it.
        reading: the newest reading of all rows.
        documents: the documents in the index.

    Raises:
        VerificationFailed: where documents are missing, or somebody else added some.
    """
    again = _again((*loaded, *later))
    short = [
        f"slice {part.number} has {documents.each[part.number]:,} where {part.read - part.dead:,} were acknowledged"
        for part in reading.slices
        if documents.each.get(part.number, part.read) < part.read - part.dead - again
    ]
    if short:
        raise VerificationFailed(
            f"{plan.job} lacks documents: {'; '.join(short[:_NAMED])}; the alias {plan.alias} was not moved:"
            " check that nobody else writes to the index, and run the job again with --fresh."
        )
    most = sum(part.read - part.dead for part in (*loaded, *later))
    # Of ids that the table does not keep unique, one document in the place of another is a row lost.
    twice = again if _unique(plan.selection) else _again(later)
    if not most - twice <= documents.all <= max(most, sum(part.rows for part in reading.slices)):
        raise VerificationFailed(_wrong(plan, documents.all, most))


def shortage(source: Source, reading: FullRead, documents: DocumentCounts, dead: int) -> Shortage | None:
    """The rows that the source holds and the index does not; None where it has all that it must have.

    It must have as many as there were when the reading began, but no more than there are now, in all and of each slice.
    Where more of a slice were read than there were, some were added meanwhile and others may have been overlooked in
    their stead: then it must have, or have been asked twice for, as many as there are now. `sys.shards` is asked each
    time, for a count lacks the rows of a shard that is away, and says nothing.

    Args:
        source: the source.
        reading: the newest reading of all rows.
        documents: the documents in the index.
        dead: the documents that Elasticsearch rejected for good.
    """
    have = {part.number: documents.each.get(part.number, part.read - part.dead) + part.dead for part in reading.slices}
    doubted = [part for part in reading.slices if have[part.number] < part.rows or part.read != part.rows]
    now = _counted(source, reading, {part.number for part in doubted})
    short = [part for part in doubted if have[part.number] < _due(part, now, again=part.number in reading.again)]
    if short:
        return Shortage("; ".join(_missing(short, have, now)), tuple(short))
    found, rows = documents.all + dead, min(sum(part.rows for part in reading.slices), now.all)
    if found < rows:
        return Shortage(f"{found:,} of {now.all:,} rows of {reading.selection.table.name} are in the index")
    return None


def _counted(source: Source, reading: FullRead, wanted: set[int]) -> RowCounts:
    """The rows that the source holds now; of slices only where its shards have no more than were counted."""
    for _ in range(_COUNTS):
        stored = shard_rows(source, reading.selection) or 0
        counted = count_rows(source, reading.selection, reading.slices, wanted)
        if counted.all >= stored:
            return counted
    return RowCounts(stored, {})


def _due(part: SliceProgress, now: RowCounts, *, again: bool) -> int:
    """How many rows of a slice must be in the index; all that were planned where the source could not be counted."""
    rows = now.each.get(part.number, part.rows)
    return rows if part.read > part.rows and not again else min(part.rows, rows)


def _missing(short: Iterable[SliceProgress], have: Mapping[int, int], now: RowCounts) -> Iterator[str]:
    for part, _ in zip(short, range(_NAMED), strict=False):
        rows = now.each.get(part.number, part.rows)
        yield f"of slice {part.number}, {have[part.number]:,} of {rows:,} rows are in the index"


def _again(slices: Iterable[SliceProgress]) -> int:
    return sum(part.again for part in slices)


def _unique(selection: Selection) -> bool:
    names = tuple(column.name for column in selection.id_columns)
    return selection.row_id is not None or names == selection.table.primary_key


def _wrong(plan: Plan, in_index: int, expected: int) -> str:
    ids = ", ".join(column.name for column in plan.selection.id_columns) or plan.selection.row_id
    return (
        f"{plan.job} holds {in_index:,} documents where {expected:,} were acknowledged;"
        f" the alias {plan.alias} was not moved: check that _id, made of {ids}, is unique and that nobody else writes"
        " to the index."
    )
