"""The queries before the first page: whether `--where` is valid, the number of rows, and their distribution."""

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
    """Count the rows, and find the smallest and the largest key where it is a number.

    Raises:
        UsageError: where the source rejects the user's `--where`.
        SourceError: as `indexer.source.protocol.Reader.page`.
    """
    try:
        if selection.where is not None:
            run(Query(Shape.CONDITION))
        rows, keyed, *ends = run(Query(Shape.BOUNDS))[0]
    except SourceError as error:
        if selection.where is None or error.retryable:
            raise
        raise UsageError(f"--where {selection.where!r} is not valid ({error}); correct the condition.") from error
    nulls = integer(rows) - integer(keyed)
    if selection.key.order is not KeyOrder.NUMBER or not keyed or not all(isinstance(end, int) for end in ends):
        return Bounds(integer(rows), nulls, None, None)
    return Bounds(integer(rows), nulls, integer(ends[0]), integer(ends[1]))


def read_histogram(run: Run, width: int) -> list[Bin]:
    """The histogram of a numeric key column: keys with the same `key / width` share a bin."""
    return [
        Bin(integer(lo), integer(hi), integer(rows)) for _, lo, hi, rows in run(Query(Shape.BINS, {"width": width}))
    ]


def integer(value: Json) -> int:
    """The value as an integer.

    Raises:
        SourceError: where the source sent anything else.
    """
    if isinstance(value, int):
        return value
    raise SourceError(f"The source sent {value!r} instead of an integer.")
