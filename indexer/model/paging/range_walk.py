"""The walk through a range of numbers or timestamps, by windows whose width adapts to the density of the rows."""

from collections.abc import Sequence
from typing import Final

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.paging.keyset_walk import TieGroupWalk
from indexer.model.paging.window import PageRequest, Range, TieGroup, Window

__all__ = ["RangeWalk"]

_FILL: Final = 0.95
"""How full a window should make a page: just below the limit, because a page at its limit may be cut off."""

_GROWTH: Final = 8
"""How much wider the next window may be: a gap in the key space then takes a logarithmic number of empty queries."""

_CAUTION: Final = 16
"""For how many pages after a full one windows do not grow: with bursts of rows, every other page would overflow."""


class RangeWalk:
    """Pages through a `Range`: `key column > lo AND key column <= hi LIMIT limit`, with a `hi` that just fills a page.

    A page below its limit has all rows of its window, in any order. A full page may have been cut off anywhere: its
    window is requested again in the order of the key column, and so are the windows that follow, which may be full too.
    A full page in order may have been cut off within a key value, so the rows of its last value are held back and read
    again. A single value that fills a page is walked as a `TieGroup`.
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
        self._caution = 1  # the first page is requested in order: it shows whether the width fits
        span = max(window.hi - window.lo, 1)
        self._width = max(1, span * self._target // max(rows, self._target))

    @property
    def _target(self) -> int:
        return max(1, int(self.limit * _FILL))

    @property
    def _window(self) -> Range:
        return Range(self._lo, min(self._hi, self._lo + self._width))

    def next_request(self) -> PageRequest | None:
        """The next window, or the next page of a key value that fills pages by itself."""
        if self._group is not None:
            self._group.limit = self.limit
            return self._group.next_request()
        return PageRequest(self._window, self.limit, ordered=self._ordered) if self._lo < self._hi else None

    @property
    def _ordered(self) -> bool:
        return self._caution > 0

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows of the page, without the ragged end of a full page."""
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
        group_rows = group.take(rows)
        if group.next_request() is None:
            self._group = None
        return group_rows

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
        end = len(rows)
        while self._value(rows[end - 1]) == last:
            end -= 1
        self._advance(last - 1, end)
        return rows[:end]

    def _advance(self, lo: int, rows: int) -> None:
        self._width = max(1, (lo - self._lo) * self._target // rows)
        self._lo = lo
        self._caution = _CAUTION

    def _value(self, row: Row) -> int:
        value = row[self._key_column]
        if not isinstance(value, int):
            raise NoProgress(f"The source returned a row with the key {value!r}, which is not a number.")
        return value

    def _check(self, window: Range, rows: Sequence[Row]) -> None:
        keys = [self._value(row) for row in rows]
        first, last = min(keys), max(keys)
        disordered = self._ordered and (first, last) != (keys[0], keys[-1])
        if disordered or not window.lo < first <= last <= window.hi:
            raise NoProgress(
                f"The source returned keys {first} to {last} for {window.lo} < key <= {window.hi}: its answers cannot"
                " be trusted."
            )

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never called: this walk requests no counts."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """The rest of the value that is walked by itself, then the rest of the range."""
        group = self._group.remaining() if self._group else ()
        return (*group, Range(self._lo, self._hi)) if self._lo < self._hi else group
