"""Verifying: does the new index hold what the source held?"""

from collections.abc import Iterator, Sequence

from indexer.errors import VerificationFailed
from indexer.job.counting import count_slices, key_field, shard_rows
from indexer.model.ledger import Left
from indexer.model.plan import Plan
from indexer.source.base import Source
from indexer.target.scan import Snapshot

__all__ = ["verify_counts"]


def verify_counts(plan: Plan, left: Sequence[Left], snapshot: Snapshot, source: Source) -> None:
    """Compare the documents in the index, in all and by slice, with the rows that were read, and these with the source.

    `left` is the ledger at the end of the load, with what was read of every slice. Rows may have been deleted from the
    source since the plan: then it is counted again, and its shards tell what they hold.

    Raises:
        VerificationFailed: where documents are missing, or rows were never read.
    """
    read = sum(part.read for part in left)
    expected = read - sum(part.dead for part in left)
    if snapshot.size != expected:
        raise VerificationFailed(_documents(plan, snapshot.size, expected))
    short = list(_short(plan, left, snapshot))
    if short:
        raise VerificationFailed(
            f"{plan.job} lacks documents: {'; '.join(short[:3])}; the alias {plan.alias} was not moved:"
            " check that nobody else writes to the index, and run the job again."
        )
    if read < plan.rows:
        now = max(source.bounds(plan.selection).rows, shard_rows(source, plan.selection) or 0)
        if read < now:
            raise VerificationFailed(
                f"{read:,} of {now:,} rows of {plan.selection.table.name} were read;"
                f" the alias {plan.alias} was not moved: run the job again, and check the source's shards."
            )


def _short(plan: Plan, left: Sequence[Left], snapshot: Snapshot) -> Iterator[str]:
    counted = count_slices(snapshot, key_field(plan.selection, plan.mapping), left)
    for part in left:
        documents = counted.get(part.number)
        if documents is not None and documents < part.read - part.dead:
            yield f"slice {part.number} has {documents:,} where {part.read - part.dead:,} were acknowledged"


def _documents(plan: Plan, in_index: int, expected: int) -> str:
    ids = ", ".join(column.name for column in plan.selection.id_columns) or plan.selection.row_id
    return (
        f"{plan.job} holds {in_index:,} documents where {expected:,} were acknowledged;"
        f" the alias {plan.alias} was not moved: check that _id, made of {ids}, is unique and that nobody else writes"
        " to the index."
    )
