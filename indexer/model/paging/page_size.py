"""The size of a page: as many rows as the user set, or fewer where rows are wide or the source refuses the page."""

from typing import Final

__all__ = ["MEMORY_FACTOR", "PageSize"]

MEMORY_FACTOR: Final = 8
"""The most bytes of memory per byte of a response: 1 for the body, up to 6 for the decoded rows and 2 for documents.

Measured with `tracemalloc` on pages of 220-byte rows, where Python's objects weigh most; with 4 kB rows it is 4.
"""

_INITIAL_ROW_BYTES: Final = 1024
"""The width that is assumed for a row before the first page."""


class PageSize:
    """Decides the limit of one reader's next page.

    Attributes:
        max_rows: the rows of a page that the user set.
        share: the part of the memory budget, in bytes, that the reader reserves for a page: no page may cost more.
    """

    def __init__(self, max_rows: int, share: int, row_bytes: float = _INITIAL_ROW_BYTES) -> None:
        self.max_rows = max_rows
        self.share = share
        self._row_bytes = row_bytes
        self._ceiling = max_rows

    @property
    def limit(self) -> int:
        """The most rows of the next page."""
        fitting = int(self.share / (self._row_bytes * MEMORY_FACTOR))
        return max(1, min(self.max_rows, self._ceiling, fitting))

    @property
    def max_bytes(self) -> int | None:
        """The most bytes of a response, beyond which the reader drops it; None for a page of one row, of any size."""
        return self.share // MEMORY_FACTOR if self.limit > 1 else None

    def record(self, rows: int, size: int) -> None:
        """Adapt to a page of `size` bytes: at once to wider rows, slowly to narrower. A lowered ceiling recovers."""
        if rows:
            row_bytes = size / rows
            weight = 1.0 if row_bytes > self._row_bytes else 0.2
            self._row_bytes += (row_bytes - self._row_bytes) * weight
        self._ceiling = min(self.max_rows, self._ceiling + max(1, self._ceiling // 10))

    def shrink(self) -> bool:
        """Lower the limit to a quarter, because a page was too large. False if the limit was one row already."""
        before = self.limit
        self._ceiling = max(1, before // 4)
        return before > 1
