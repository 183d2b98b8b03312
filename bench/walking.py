"""Walking a table as `reindex` does, page by page, and nothing else: no documents, no writing."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.model.json import Row
from indexer.model.paging.slice import Slice
from indexer.model.paging.walk import walk_through
from indexer.model.paging.window import PrefixCount
from indexer.model.table.selection import Selection
from indexer.source.protocol import Reader

__all__ = ["PageTime", "pages", "timed_pages"]


@dataclass(frozen=True, slots=True)
class PageTime:
    """What a page took.

    Attributes:
        rows: how many rows it gave.
        milliseconds: from asking to having every row decoded.
    """

    rows: int
    milliseconds: float


def pages(reader: Reader, selection: Selection, part: Slice, limit: int) -> Iterator[Sequence[Row]]:
    """Walk one slice with pages of at most `limit` rows; the rows of each page, once it is decoded."""
    for rows, _ in _steps(reader, selection, part, limit):
        yield rows


def timed_pages(reader: Reader, selection: Selection, part: Slice, limit: int) -> Iterator[PageTime]:
    """The same; what each page took, without its rows."""
    for rows, milliseconds in _steps(reader, selection, part, limit):
        yield PageTime(len(rows), milliseconds)


def _steps(reader: Reader, selection: Selection, part: Slice, limit: int) -> Iterator[tuple[Sequence[Row], float]]:
    lead = selection.position(selection.key.column)
    way = walk_through(
        part.window, key_column=lead, tiebreakers=selection.tiebreaker_positions, limit=limit, rows=part.rows
    )
    while (question := way.next_request()) is not None:
        if isinstance(question, PrefixCount):
            way.learn_counts(reader.count_prefixes(question))
            continue
        began = time.perf_counter()
        page = reader.page(question)
        milliseconds = (time.perf_counter() - began) * 1000
        yield way.take(page.rows), milliseconds
