"""What a source is asked before its first page: whether `--where` works, how many rows there are, and where."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from indexer.errors import SourceError, UsageError
from indexer.model.json import Json, Row
from indexer.model.paging.slice import Bin
from indexer.model.table.key import KeyOrder
from indexer.model.table.selection import Selection
from indexer.source.protocol import Bounds
from indexer.source.statements import Query, Shape

__all__ = ["Run", "integer", "read_bounds", "read_histogram"]

Run: TypeAlias = Callable[[Query], Sequence[Row]]
"""Runs one of a selection's queries."""


def read_bounds(run: Run, selection: Selection) -> Bounds:
    """Count the rows, and find the smallest and the largest key column where it is a number.

    Raises:
        UsageError: where the source cannot run the user's `--where`.
        SourceError: as `indexer.source.protocol.Reader.page`.
    """
    try:
        if selection.where is not None:
            run(Query(Shape.CONDITION))
        rows, keyed, *ends = run(Query(Shape.BOUNDS))[0]
    except SourceError as error:
        if selection.where is None or error.retryable:
            raise
        raise UsageError(f"--where {selection.where!r} does not work: {error}; mend the condition.") from error
    nulls = integer(rows) - integer(keyed)
    if selection.key.order is not KeyOrder.NUMBER or not keyed or not all(isinstance(end, int) for end in ends):
        return Bounds(integer(rows), nulls, None, None)
    return Bounds(integer(rows), nulls, integer(ends[0]), integer(ends[1]))


def read_histogram(run: Run, width: int) -> list[Bin]:
    """The histogram of a number key column: values that share `value / width` share a bin."""
    return [
        Bin(integer(lo), integer(hi), integer(rows)) for _, lo, hi, rows in run(Query(Shape.BINS, {"width": width}))
    ]


def integer(value: Json) -> int:
    """A number that the source sent as one.

    Raises:
        SourceError: for anything else.
    """
    if isinstance(value, int):
        return value
    raise SourceError(f"The source sent {value!r} where a whole number was asked for.")
