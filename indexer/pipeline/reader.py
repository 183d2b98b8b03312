"""One reader: walks slices, makes documents of their rows, and hands batches to the takers."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.errors import BreakerTripped, IndexerError, ResponseTooLarge, SourceError, SourceUnavailable
from indexer.model.document.bulk_request import split_batches
from indexer.model.document.document import DocumentBuilder
from indexer.model.job.checkpoint import AckTracker, SliceProgress
from indexer.model.job.progress import Counters
from indexer.model.paging.page_size import PageSize
from indexer.model.paging.walk import Walk, walk_through
from indexer.model.paging.window import PageRequest, PrefixCount, Window
from indexer.model.table.selection import Selection
from indexer.pipeline.memory import MemoryBudget
from indexer.pipeline.threads import BatchQueue, PageBatch
from indexer.retry import Attempts
from indexer.source.protocol import Page, Reader

__all__ = ["LINE_COST", "PageOutput", "SliceReader"]

LINE_COST: Final = 2
"""Bytes in memory for each byte of a finished document: the document, and the request body that holds it."""


@dataclass(frozen=True, slots=True)
class PageOutput:
    """Where the pages of all readers of a pipeline go.

    Attributes:
        budget: the bytes in flight.
        counters: the job's counters.
        tracker: keeps which pages are acknowledged.
        queue: the batches that wait for takers.
        batch_bytes: bytes of a batch, at most.
    """

    budget: MemoryBudget
    counters: Counters
    tracker: AckTracker
    queue: BatchQueue
    batch_bytes: int

    def put(self, number: int, remaining: tuple[Window, ...], lines: list[bytes]) -> None:
        """Hand over the documents of a page, and what remains of its slice after it; waits for the takers."""
        batches = list(split_batches(lines, self.batch_bytes))
        page = self.tracker.page(number, remaining, rows=len(lines), batches=len(batches))
        for batch in batches:
            self.queue.put(PageBatch(batch, page))


@dataclass(frozen=True, slots=True)
class _Position:
    """A walk through one window of a slice, and the slice's windows after it."""

    walk: Walk
    slice_number: int
    later: tuple[Window, ...]

    def remaining(self) -> tuple[Window, ...]:
        return (*self.walk.remaining(), *self.later)


@dataclass(slots=True)
class SliceReader:
    """What one reader needs.

    Attributes:
        reader: its own connection to the source.
        selection: what is read.
        documents: makes documents of rows.
        size: decides the rows of the next page.
        attempts: how long the source may fail.
        output: where pages go.
    """

    reader: Reader
    selection: Selection
    documents: DocumentBuilder
    size: PageSize
    attempts: Attempts
    output: PageOutput

    def run(self, slices: Iterator[SliceProgress]) -> None:
        """Walk slices until there are none, or the job stops."""
        for progress in slices:
            for place, window in enumerate(progress.windows):
                walk = walk_through(
                    window,
                    key_column=self.selection.position(self.selection.key.column),
                    tiebreakers=self.selection.tiebreaker_positions,
                    limit=self.size.limit,
                    rows=progress.rows - progress.read,
                )
                position = _Position(walk, progress.number, progress.windows[place + 1 :])
                while not self.output.queue.stopped and self._step(position):
                    pass

    def _step(self, position: _Position) -> bool:
        """Send the walk's next request and use the response; False at the end of the walk."""
        walk = position.walk
        walk.limit = self.size.limit
        request = walk.next_request()
        if request is None:
            return False
        try:
            if isinstance(request, PrefixCount):
                walk.learn_counts(self.reader.count_prefixes(request))
            else:
                self._read_page(position, request)
        except (SourceUnavailable, ResponseTooLarge) as error:
            _refuse_depth(error, request)
            self.attempts.shrink_or_wait(error, self.size.shrink)
        else:
            self.attempts.reset()
        return True

    def _read_page(self, position: _Position, request: PageRequest) -> None:
        output, cost = self.output, self.size.share
        output.budget.take(cost)
        try:
            page, seconds = self._timed(request)
            self.size.record(len(page.rows), page.size)
            rows = position.walk.take(page.rows)
            nulled = self.documents.nulled
            lines = self.documents.lines(rows)
        except BaseException:
            output.budget.give(cost)
            raise
        output.budget.correct(cost, LINE_COST * sum(map(len, lines)))
        output.counters.read(len(rows), seconds, self.documents.nulled - nulled)
        output.put(position.slice_number, position.remaining(), lines)

    def _timed(self, request: PageRequest) -> tuple[Page, float]:
        began = time.perf_counter()
        page = self.reader.page(request, self.size.max_bytes)
        return page, time.perf_counter() - began


def _refuse_depth(error: IndexerError, request: PageRequest | PrefixCount) -> None:
    """Give up where a smaller page cannot help: most of what tripped the breaker lies before the page.

    Raises:
        SourceError: with what the source said, and the remedy.
    """
    if isinstance(error, BreakerTripped) and isinstance(request, PageRequest) and request.skipped > request.limit:
        raise SourceError(
            f"{error}; it holds all {request.skipped:,} rows before a page at OFFSET {request.skipped:,}, however"
            " small --page is: start again with --strategy window --fresh, whose pages cost the same at any depth.",
            error.code,
        ) from error
