"""Walks: how a reader gets through a window, page by page. A walk makes requests and takes answers, without I/O.

::

    while (request := walk.next_request()) is not None:
        if isinstance(request, PrefixCount):
            walk.learn_counts(reader.prefix_counts(request))
        else:
            rows = walk.take(reader.page(request))      # the rows to index: a full page may lose its ragged end

A walk returns each row of its window exactly once, whatever its pages hold, as long as the rows stay in the table. Rows
that `take` holds back (a ragged end, a page that overflowed) are read again. `remaining()` is what has not been read
yet, as windows. A checkpoint needs nothing else, because walking the remaining windows reads the remaining rows.
"""

from collections.abc import Sequence
from typing import Protocol

from indexer.model.json import Row
from indexer.model.paging.keyset_walk import KeysetWalk, OffsetWalk, TieGroupWalk
from indexer.model.paging.prefix_walk import PrefixWalk
from indexer.model.paging.range_walk import RangeWalk
from indexer.model.paging.window import Keyset, Offset, PageRequest, PrefixCount, Prefixes, Range, TieGroup, Window

__all__ = ["Walk", "walk_through"]


class Walk(Protocol):
    """A way through one window.

    Attributes:
        limit: the most rows of a page; the reader may change it between two pages.
    """

    limit: int

    def next_request(self) -> PageRequest | PrefixCount | None:
        """The next request, or None at the end. It stays the same until its answer is given."""

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Take the answer to a `PageRequest`, and return the rows to index.

        Raises:
            NoProgress: if the rows do not advance, or lie outside their window.
        """

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Take the answer to a `PrefixCount`: longer prefixes with their row counts."""

    def remaining(self) -> tuple[Window, ...]:
        """The windows that are still to be read."""


def walk_through(window: Window, *, key_column: int, tiebreakers: tuple[int, ...], limit: int, rows: int = 0) -> Walk:
    """The walk through a window.

    Args:
        window: what to read.
        key_column: the position of the key column's value in a row.
        tiebreakers: the positions of the tiebreakers' values in a row; empty where the key column is unique.
        limit: the most rows of a page.
        rows: how many rows the plan expects, which sizes the first page; 0 where it does not know.
    """
    match window:
        case Range():
            return RangeWalk(window, key_column=key_column, tiebreakers=tiebreakers, limit=limit, rows=rows)
        case Prefixes():
            return PrefixWalk(window, tiebreakers=tiebreakers, limit=limit)
        case TieGroup():
            return TieGroupWalk(window, tiebreakers=tiebreakers, limit=limit)
        case Keyset():
            return KeysetWalk(window, key_columns=(key_column, *tiebreakers), limit=limit)
        case Offset():
            return OffsetWalk(window, limit=limit)
