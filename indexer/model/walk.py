"""Walks: how a reader gets through a window, one page after the other. Pure: a walk asks, somebody else answers.

::

    while (question := walk.ask()) is not None:
        if isinstance(question, Census):
            walk.learn(reader.census(question))
        else:
            rows = walk.take(reader.page(question))     # the rows to index: a full page may lose its ragged end

Every walk covers each row of its window exactly once, whatever the pages hold, as long as the rows stay: rows that are
not handed out (a ragged end, a page that overflowed) come again. `rest()` is what is left, as windows: that is all a
checkpoint has to hold, for walking the rest covers the rest.
"""

from collections.abc import Sequence
from typing import Protocol

from indexer.model.group_walk import GroupWalk
from indexer.model.json import Row
from indexer.model.keyset_walk import KeysetWalk, OffsetWalk
from indexer.model.prefix_walk import PrefixWalk
from indexer.model.range_walk import RangeWalk
from indexer.model.window import Ask, Census, Group, Keyset, Offset, Prefixes, Range, Window

__all__ = ["Walk", "walk"]


class Walk(Protocol):
    """A way through one window.

    Attributes:
        limit: rows a page at most; whoever runs the walk may change it between two pages.
    """

    limit: int

    def ask(self) -> Ask | Census | None:
        """The next question, or None at the end. Without an answer in between, the question stays the same."""

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Take the answer to an `Ask`; returns the rows to index.

        Raises:
            NoProgress: where the rows do not advance or lie outside their window.
        """

    def learn(self, counts: Sequence[tuple[str, int]]) -> None:
        """Take the answer to a `Census`: longer prefixes with their row counts."""

    def rest(self) -> tuple[Window, ...]:
        """What is left to walk."""


def walk(window: Window, *, lead: int, ties: tuple[int, ...], limit: int, rows: int = 0) -> Walk:
    """The walk through a window.

    Args:
        window: what to cover.
        lead: where the lead's value stands in a row.
        ties: where the values that break ties stand in a row; empty where the lead is unique.
        limit: rows a page at most.
        rows: how many rows the plan expects, or 0 where it does not know: it sizes the first window.
    """
    match window:
        case Range():
            return RangeWalk(window, lead=lead, ties=ties, limit=limit, rows=rows)
        case Prefixes():
            return PrefixWalk(window, ties=ties, limit=limit)
        case Group():
            return GroupWalk(window, ties=ties, limit=limit)
        case Keyset():
            return KeysetWalk(window, places=(lead, *ties), limit=limit)
        case Offset():
            return OffsetWalk(window, limit=limit)
