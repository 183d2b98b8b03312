"""The walk through the rows of one lead value, or of NULL, in the order of what breaks ties."""

from collections.abc import Sequence
from dataclasses import replace

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.window import Ask, Group, Window

__all__ = ["GroupWalk"]


class GroupWalk:
    """Pages through a `Group`: `lead = value AND ties > after ORDER BY ties LIMIT limit`.

    A page costs in proportion to the group, not to the table.
    """

    def __init__(self, window: Group, *, ties: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._window: Group | None = window
        self._ties = ties

    def ask(self) -> Ask | None:
        """The next page of the group."""
        return Ask(self._window, self.limit) if self._window else None

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """All of the rows: within a group every page ends cleanly."""
        if self._window is None or len(rows) < self.limit or not self._ties:  # without ties, a value has one row
            self._window = None
            return rows
        after = tuple(rows[-1][place] for place in self._ties)
        if after == self._window.after:
            raise NoProgress(
                f"The rows of the key {self._window.value!r} do not advance beyond {after!r}:"
                " the source's order is not total, so nothing of it can be trusted."
            )
        self._window = replace(self._window, after=after)
        return rows

    def learn(self, counts: Sequence[tuple[str, int]]) -> None:
        """Never asked for."""
        raise NotImplementedError(counts)

    def rest(self) -> tuple[Window, ...]:
        """The group from its last row on."""
        return (self._window,) if self._window else ()
