"""How many rows a page may have: what the user asked for, or fewer where rows are wide or the source says so."""

from typing import Final

__all__ = ["COST", "PageSize"]

COST: Final = 8
"""Bytes in memory for each byte of a response, at most: the body 1, the decoded rows up to 6, documents up to 2.

Measured with `tracemalloc` on pages of 220-byte rows, where Python's objects weigh most; rows of 4 kB take 4.
"""

_FIRST_ROW: Final = 1024
"""Bytes a row is taken for before any row was seen."""


class PageSize:
    """Decides the limit of the next page of one reader.

    Attributes:
        wanted: rows a page as the user asked.
        share: the bytes of the budget that this reader takes before it asks: no page may cost more.
    """

    def __init__(self, wanted: int, share: int, row_bytes: float = _FIRST_ROW) -> None:
        self.wanted = wanted
        self.share = share
        self._row_bytes = row_bytes
        self._ceiling = wanted

    @property
    def limit(self) -> int:
        """Rows that the next page may have."""
        fitting = int(self.share / (self._row_bytes * COST))
        return max(1, min(self.wanted, self._ceiling, fitting))

    @property
    def most(self) -> int | None:
        """Bytes of the answer beyond which it is to be abandoned; a page of one row is taken however large."""
        return self.share // COST if self.limit > 1 else None

    def saw(self, rows: int, size: int) -> None:
        """Learn from a page: wider rows at once, narrower ones slowly; a lowered ceiling rises by a tenth of itself."""
        if rows:
            row_bytes = size / rows
            weight = 1.0 if row_bytes > self._row_bytes else 0.2
            self._row_bytes += (row_bytes - self._row_bytes) * weight
        self._ceiling = min(self.wanted, self._ceiling + max(1, self._ceiling // 10))

    def shrink(self) -> bool:
        """A page of this limit was too much: ask for a quarter. False where it was one row already."""
        before = self.limit
        self._ceiling = max(1, before // 4)
        return before > 1
