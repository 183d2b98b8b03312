"""Verifying: does the new index hold what the source held?"""

from collections.abc import Iterable, Iterator, Sequence

from indexer.errors import VerificationFailed
from indexer.job.counting import count_slices, key_field, shard_rows
from indexer.model.ledger import Left
from indexer.model.plan import Plan
from indexer.model.selection import Selection
from indexer.source.base import Source
from indexer.target.scan import Snapshot

__all__ = ["shortfall", "verify_documents"]

_NAMED = 3
"""How many slices a message names."""


def verify_documents(plan: Plan, loaded: Sequence[Left], later: Sequence[Left], snapshot: Snapshot) -> None:
    """Compare the documents in the index, in all and by slice, with the rows that were acknowledged.

    A row that was acknowledged twice made one document: where an UPDATE moved it by its key from one page to another,
    where a later round read it again, and where an answer was lost and its batch was sent again. Then slices are not
    compared, for it may have left one.

    Args:
        plan: the job's plan.
        loaded: the slices of the load, with what was read of each.
        later: those of the rounds after it.
        snapshot: the index.

    Raises:
        VerificationFailed: where documents are missing, or somebody else added some.
    """
    most = sum(part.read - part.dead for part in (*loaded, *later))
    # Of ids that the table does not keep unique, one document in the place of another is a row lost.
    twice = _again(later) + (_again(loaded) if _unique(plan.selection) else 0)
    if not most - twice <= snapshot.size <= most:
        raise VerificationFailed(_documents(plan, snapshot.size, most))
    short = [] if _again((*loaded, *later)) else list(_short(plan, loaded, snapshot))
    if short:
        raise VerificationFailed(
            f"{plan.job} lacks documents: {'; '.join(short[:_NAMED])}; the alias {plan.alias} was not moved:"
            " check that nobody else writes to the index, and run the job again."
        )


def _short(plan: Plan, left: Sequence[Left], snapshot: Snapshot) -> Iterator[str]:
    counted = count_slices(snapshot, key_field(plan.selection, plan.mapping), left)
    for part in left:
        documents = counted.get(part.number)
        if documents is not None and documents < part.read - part.dead:
            yield f"slice {part.number} has {documents:,} where {part.read - part.dead:,} were acknowledged"


def shortfall(plan: Plan, rows: int, have: int, source: Source) -> str:
    """Why rows of the source may not have been read, or nothing.

    Rows may have been deleted meanwhile: then the source is counted again, by its shards too, and no more than it holds
    now is asked for.

    Args:
        plan: the job's plan.
        rows: what the source held when the round began that read all of it.
        have: the documents in the index, and the dead letters.
        source: the source.
    """
    if have >= rows:
        return ""
    now = max(source.bounds(plan.selection).rows, shard_rows(source, plan.selection) or 0)
    if have >= now:
        return ""
    return f"{have:,} of {now:,} rows of {plan.selection.table.name} were read"


def _again(left: Iterable[Left]) -> int:
    return sum(part.again for part in left)


def _unique(selection: Selection) -> bool:
    names = tuple(column.name for column in selection.id_columns)
    return selection.row_id is not None or names == selection.table.primary_key


def _documents(plan: Plan, in_index: int, expected: int) -> str:
    ids = ", ".join(column.name for column in plan.selection.id_columns) or plan.selection.row_id
    return (
        f"{plan.job} holds {in_index:,} documents where {expected:,} were acknowledged;"
        f" the alias {plan.alias} was not moved: check that _id, made of {ids}, is unique and that nobody else writes"
        " to the index."
    )
