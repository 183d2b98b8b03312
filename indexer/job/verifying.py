"""Verifying: does the new index hold what the source held?"""

from collections.abc import Sequence

from indexer.errors import VerificationFailed
from indexer.model.ledger import Left
from indexer.model.plan import Plan
from indexer.source.base import Source

__all__ = ["verify_counts"]


def verify_counts(plan: Plan, left: Sequence[Left], in_index: int, source: Source) -> None:
    """Compare the documents in the index with the rows that were read, and these with the source.

    `left` is the ledger at the end of the load, with what was read of every slice. Rows may have been deleted from the
    source since the plan: then it is counted again.

    Raises:
        VerificationFailed: where documents are missing, or rows were never read.
    """
    read = sum(part.read for part in left)
    expected = read - sum(part.dead for part in left)
    if in_index != expected:
        raise VerificationFailed(_documents(plan, in_index, expected))
    if read < plan.rows:
        now = source.bounds(plan.selection).rows
        if read < now:
            raise VerificationFailed(
                f"{read:,} of {now:,} rows of {plan.selection.table.name} were read;"
                f" the alias {plan.alias} was not moved: run the job again, and check the source's shards."
            )


def _documents(plan: Plan, in_index: int, expected: int) -> str:
    ids = ", ".join(column.name for column in plan.selection.id_columns) or plan.selection.row_id
    return (
        f"{plan.job} holds {in_index:,} documents where {expected:,} were acknowledged;"
        f" the alias {plan.alias} was not moved: check that _id, made of {ids}, is unique and that nobody else writes"
        " to the index."
    )
