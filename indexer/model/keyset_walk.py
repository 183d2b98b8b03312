"""The walks of the two slower strategies, kept for comparison: plain keyset, and OFFSET."""

from collections.abc import Sequence

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.window import Ask, Keyset, Offset, Window

__all__ = ["KeysetWalk", "OffsetWalk"]


class KeysetWalk:
    """Pages by `(lead, ties) > last ORDER BY lead, ties LIMIT limit`.

    Flat in a database that walks an index in order; in CrateDB a page sorts all rows that are left (docs/servers.md).
    """

    def __init__(self, window: Keyset, *, places: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._window: Keyset | None = window
        self._places = places

    def ask(self) -> Ask | None:
        """The page after the last row."""
        return Ask(self._window, self.limit) if self._window else None

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

    def learn(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def rest(self) -> tuple[Window, ...]:
        """Everything after the last row."""
        return (self._window,) if self._window else ()


class OffsetWalk:
    """Pages by `ORDER BY lead, ties LIMIT limit OFFSET n`: a page costs in proportion to its depth."""

    def __init__(self, window: Offset, *, limit: int) -> None:
        self.limit = limit
        self._window: Offset | None = window

    def ask(self) -> Ask | None:
        """The page at the offset."""
        return Ask(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows."""
        if self._window is None or len(rows) < self.limit:
            self._window = None
        else:
            self._window = Offset(self._window.offset + len(rows))
        return rows

    def learn(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def rest(self) -> tuple[Window, ...]:
        """Everything from the offset on."""
        return (self._window,) if self._window else ()
