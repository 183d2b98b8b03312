"""The walk through a snapshot, part by part: pages of a number of bytes, however wide the documents are."""

from collections.abc import Iterable
from typing import Final

from indexer.model.json import JsonObject
from indexer.target.page_of_hits import Documents
from indexer.target.scan import Snapshot

__all__ = ["IndexWalk"]

_MOST: Final = 10_000
"""Documents an answer at most, as Elasticsearch allows (`index.max_result_window`)."""

_FIRST: Final = 500
_GROWTH: Final = 2

_AIM: Final = 3 * 1024 * 1024
"""Bytes of documents that a page aims at, well below those at which an answer is cut off."""


_ALL: Final[JsonObject] = {"match_all": {}}


class IndexWalk:
    """Pages through the documents, by a point in time and `search_after`; not shared between threads.

    Args:
        snapshot: the index.
        parts: queries that find every document between them; one is walked after the other, each by place.
    """

    def __init__(self, snapshot: Snapshot, parts: Iterable[JsonObject] = (_ALL,)) -> None:
        self._snapshot = snapshot
        self._part, *self._later = parts
        self._after: int | None = None
        self._size = _FIRST

    def page(self) -> Documents:
        """The next documents; none at the end. After an error, the same are asked for again."""
        while not (page := self._fitting()).pairs and self._later:
            self._part, self._after = self._later.pop(0), None
        if page.pairs:
            self._after = page.last
            fitting = _AIM * len(page.pairs) // max(1, page.size)
            self._size = max(1, min(_MOST, self._size * _GROWTH, fitting))
        return page

    def _fitting(self) -> Documents:
        while (page := self._snapshot.documents(self._after, self._size, self._part)) is None:
            self._size = max(1, self._size // 4)
        return page
