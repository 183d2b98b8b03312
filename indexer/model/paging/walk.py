"""Walks: how a reader gets through a window, one page after the other. Pure: a walk asks, somebody else answers.

::

    while (question := walk.ask()) is not None:
        if isinstance(question, PrefixCount):
            walk.learn(reader.prefix count(question))
        else:
            rows = walk.take(reader.page(question))     # the rows to index: a full page may lose its ragged end

Every walk covers each row of its window exactly once, whatever the pages hold, as long as the rows stay: rows that are
not handed out (a ragged end, a page that overflowed) come again. `rest()` is what is left, as windows: that is all a
checkpoint has to hold, for walking the rest covers the rest.
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
        limit: rows a page at most; whoever runs the walk may change it between two pages.
    """

    limit: int

    def next_request(self) -> PageRequest | PrefixCount | None:
        """The next question, or None at the end. Without an answer in between, the question stays the same."""

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Take the answer to an `PageRequest`; returns the rows to index.

        Raises:
            NoProgress: where the rows do not advance or lie outside their window.
        """

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Take the answer to a `PrefixCount`: longer prefixes with their row counts."""

    def remaining(self) -> tuple[Window, ...]:
        """What is left to walk."""


def walk_through(window: Window, *, key_column: int, tiebreakers: tuple[int, ...], limit: int, rows: int = 0) -> Walk:
    """The walk through a window.

    Args:
        window: what to cover.
        key column: where the key column's value stands in a row.
        ties: where the values that break ties stand in a row; empty where the key column is unique.
        limit: rows a page at most.
        rows: how many rows the plan expects, or 0 where it does not know: it sizes the first window.
    """
    match window:
        case Range():
            return RangeWalk(window, key_column=key_column, tiebreakers=tiebreakers, limit=limit, rows=rows)
        case Prefixes():
            return PrefixWalk(window, tiebreakers=tiebreakers, limit=limit)
        case TieGroup():
            return TieGroupWalk(window, tiebreakers=tiebreakers, limit=limit)
        case Keyset():
            return KeysetWalk(window, places=(key_column, *tiebreakers), limit=limit)
        case Offset():
            return OffsetWalk(window, limit=limit)
