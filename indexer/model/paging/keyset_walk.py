"""The walks of the two slower strategies, kept for comparison: plain keyset, and OFFSET."""

from collections.abc import Sequence
from dataclasses import replace

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.paging.window import Keyset, Offset, PageRequest, TieGroup, Window

__all__ = ["KeysetWalk", "OffsetWalk", "TieGroupWalk"]


class KeysetWalk:
    """Pages by `(key column, ties) > last ORDER BY key column, ties LIMIT limit`.

    Flat in a database that walks an index in order; in CrateDB a page sorts all rows that are left (docs/servers.md).
    """

    def __init__(self, window: Keyset, *, places: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._window: Keyset | None = window
        self._places = places

    def next_request(self) -> PageRequest | None:
        """The page after the last row."""
        return PageRequest(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows: the order is total, so every page ends cleanly."""
        if self._window is None or len(rows) < self.limit:
            self._window = None
            return rows
        after = tuple(rows[-1][place] for place in self._places)
        if after == self._window.after:
            raise NoProgress(f"The page after the key {after!r} ends with that key: the source's order is not total.")
        self._window = Keyset(after)
        return rows

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """Everything after the last row."""
        return (self._window,) if self._window else ()


class OffsetWalk:
    """Pages by `ORDER BY key column, ties LIMIT limit OFFSET n`: a page costs in proportion to its depth."""

    def __init__(self, window: Offset, *, limit: int) -> None:
        self.limit = limit
        self._window: Offset | None = window

    def next_request(self) -> PageRequest | None:
        """The page at the offset."""
        return PageRequest(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows."""
        if self._window is None or len(rows) < self.limit:
            self._window = None
        else:
            self._window = Offset(self._window.offset + len(rows))
        return rows

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """Everything from the offset on."""
        return (self._window,) if self._window else ()


class TieGroupWalk:
    """Pages through a `TieGroup`: `key column = value AND ties > after ORDER BY ties LIMIT limit`.

    A page costs in proportion to the group, not to the table.
    """

    def __init__(self, window: TieGroup, *, tiebreakers: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._window: TieGroup | None = window
        self._tiebreakers = tiebreakers

    def next_request(self) -> PageRequest | None:
        """The next page of the group."""
        return PageRequest(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows: within a group every page ends cleanly."""
        if self._window is None or len(rows) < self.limit or not self._tiebreakers:  # without ties, a value has one row
            self._window = None
            return rows
        after = tuple(rows[-1][place] for place in self._tiebreakers)
        if after == self._window.after:
            raise NoProgress(
                f"The rows of the key {self._window.value!r} do not advance beyond {after!r}:"
                " the source's order is not total, so nothing of it can be trusted."
            )
        self._window = replace(self._window, after=after)
        return rows

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """The group from its last row on."""
        return (self._window,) if self._window else ()
