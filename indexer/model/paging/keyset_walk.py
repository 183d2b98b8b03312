"""Walks that continue after the last row: by keyset in a tie group or a whole table, and by OFFSET for comparison."""

from collections.abc import Sequence
from dataclasses import replace

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.paging.window import Keyset, Offset, PageRequest, TieGroup, Window

__all__ = ["KeysetWalk", "OffsetWalk", "TieGroupWalk"]


class TieGroupWalk:
    """Pages through a `TieGroup`: `key column = value AND tiebreakers > after ORDER BY tiebreakers LIMIT limit`.

    A page's cost grows with the group, not with the table.
    """

    def __init__(self, window: TieGroup, *, tiebreakers: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._window: TieGroup | None = window
        self._tiebreakers = tiebreakers

    def next_request(self) -> PageRequest | None:
        """The next page of the group."""
        return PageRequest(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows: in a total order no page has a ragged end."""
        # Without tiebreakers the key column is unique, and a value has one row.
        if self._window is None or len(rows) < self.limit or not self._tiebreakers:
            self._window = None
            return rows
        after = tuple(rows[-1][position] for position in self._tiebreakers)
        if after == self._window.after:
            raise NoProgress(
                f"The rows with the key {self._window.value!r} do not advance beyond {after!r}: the source does not"
                " return them in a total order, so pages could repeat or skip rows."
            )
        self._window = replace(self._window, after=after)
        return rows

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never called: this walk requests no counts."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """The group after its last row."""
        return (self._window,) if self._window else ()


class KeysetWalk:
    """Pages by `(key column, tiebreakers) > last ORDER BY key column, tiebreakers LIMIT limit`.

    Flat in a database that follows an index; in CrateDB each page sorts all the rows after it (docs/servers.md).
    """

    def __init__(self, window: Keyset, *, key_columns: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._window: Keyset | None = window
        self._key_columns = key_columns

    def next_request(self) -> PageRequest | None:
        """The page after the last row."""
        return PageRequest(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows: in a total order no page has a ragged end."""
        if self._window is None or len(rows) < self.limit:
            self._window = None
            return rows
        after = tuple(rows[-1][position] for position in self._key_columns)
        if after == self._window.after:
            raise NoProgress(
                f"The page after the key {after!r} ends with that key: the source does not return rows in a total"
                " order, so pages could repeat or skip rows."
            )
        self._window = Keyset(after)
        return rows

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never called: this walk requests no counts."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """Everything after the last row."""
        return (self._window,) if self._window else ()


class OffsetWalk:
    """Pages by `ORDER BY key column, tiebreakers LIMIT limit OFFSET n`: a page's cost grows with its depth."""

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
        """Never called: this walk requests no counts."""
        raise NotImplementedError(counts)

    def remaining(self) -> tuple[Window, ...]:
        """Everything from the offset on."""
        return (self._window,) if self._window else ()
