"""The walk through a range of numbers or timestamps, by windows whose width follows the density of the rows."""

from collections.abc import Sequence
from typing import Final

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.paging.keyset_walk import TieGroupWalk
from indexer.model.paging.window import PageRequest, Range, TieGroup, Window

__all__ = ["RangeWalk"]

_FILL: Final = 0.95
"""The share of a page that a window aims at: just under the limit, for a page at the limit may be cut off."""

_GROWTH: Final = 8
"""How much wider the next window may get: a gap in the key space costs a logarithmic number of empty queries."""

_CAUTION: Final = 16
"""For how many pages after a full one the window does not grow: with bursts, every other page would overflow."""


class RangeWalk:
    """Pages through a `Range`: `key column > lo AND key column <= hi LIMIT limit`, `hi` as near as fills a page.

    A page under its limit has all rows of its window, in whatever order. A full one may have been cut off anywhere: its
    window is asked for again in the order of the key column, and so are those that follow, for they may be full too. A full
    page in order may have been cut off within a key value, so the rows of its last value are left out and come again;
    a value that fills a page alone is walked as a `TieGroup`.
    """

    def __init__(
        self, window: Range, *, key_column: int, tiebreakers: tuple[int, ...], limit: int, rows: int = 0
    ) -> None:
        self.limit = limit
        self._lo = window.lo
        self._hi = window.hi
        self._key_column = key_column
        self._tiebreakers = tiebreakers
        self._group: TieGroupWalk | None = None
        self._caution = 1  # the first page is asked for in order: it shows whether the width is right
        span = max(window.hi - window.lo, 1)
        self._width = max(1, span * self._target // max(rows, self._target))

    @property
    def _target(self) -> int:
        return max(1, int(self.limit * _FILL))

    @property
    def _window(self) -> Range:
        return Range(self._lo, min(self._hi, self._lo + self._width))

    def next_request(self) -> PageRequest | None:
        """The next window, or the next page of a key value that fills pages alone."""
        if self._group is not None:
            self._group.limit = self.limit
            return self._group.next_request()
        return PageRequest(self._window, self.limit, ordered=self._ordered) if self._lo < self._hi else None

    @property
    def _ordered(self) -> bool:
        return self._caution > 0

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows of the page, without the ragged end of a full one."""
        if self._group is not None:
            return self._take_group(self._group, rows)
        window = self._window
        if rows:
            self._check(window, rows)
        if len(rows) < self.limit:
            return self._take_whole(window, rows)
        if self._ordered:
            return self._take_full(rows)
        self._caution = _CAUTION
        return ()

    def _take_group(self, group: TieGroupWalk, rows: Sequence[Row]) -> Sequence[Row]:
        taken = group.take(rows)
        if group.next_request() is None:
            self._group = None
        return taken

    def _take_whole(self, window: Range, rows: Sequence[Row]) -> Sequence[Row]:
        width = window.hi - window.lo
        self._lo = window.hi
        grown = width * min(_GROWTH, max(1.0, self._target / len(rows))) if rows else width * _GROWTH
        if self._caution and len(rows) * 4 > self._target:
            self._caution -= 1
        else:
            self._width = max(1, int(grown))
        return rows

    def _take_full(self, rows: Sequence[Row]) -> Sequence[Row]:
        first, last = self._value(rows[0]), self._value(rows[-1])
        if not self._tiebreakers:
            self._advance(last, len(rows))
            return rows
        if first == last:
            self._lo = first
            self._group = TieGroupWalk(TieGroup(first), tiebreakers=self._tiebreakers, limit=self.limit)
            return ()
        kept = len(rows)
        while self._value(rows[kept - 1]) == last:
            kept -= 1
        self._advance(last - 1, kept)
        return rows[:kept]

    def _advance(self, lo: int, rows: int) -> None:
        self._width = max(1, (lo - self._lo) * self._target // rows)
        self._lo = lo
        self._caution = _CAUTION

    def _value(self, row: Row) -> int:
        value = row[self._key_column]
        if not isinstance(value, int):
            raise NoProgress(f"A row came with the key {value!r} where a number was asked for.")
        return value

    def _check(self, window: Range, rows: Sequence[Row]) -> None:
        keys = [self._value(row) for row in rows]
        first, last = min(keys), max(keys)
        broken = self._ordered and (first, last) != (keys[0], keys[-1])
        if broken or not window.lo < first <= last <= window.hi:
            raise NoProgress(
                f"Keys {first} to {last} came where {window.lo} < key <= {window.hi} was asked for:"
                " the source broke its own conditions, so nothing of its answer can be trusted."
            )

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """The rest of a value that is walked alone, then the rest of the range."""
        group = self._group.remaining() if self._group else ()
        return (*group, Range(self._lo, self._hi)) if self._lo < self._hi else group
