"""One reader: walks slices, makes documents of their rows, and hands batches to the writers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Final

from indexer.errors import BreakerTripped, IndexerError, Interrupted, ResponseTooLarge, SourceError, SourceUnavailable
from indexer.model.document.bulk_response import split_batches
from indexer.model.document.document import DocumentBuilder
from indexer.model.job.checkpoint import AckTracker, SliceProgress
from indexer.model.job.progress import Counters
from indexer.model.paging.page_size import PageSize
from indexer.model.paging.walk import Walk, walk_through
from indexer.model.paging.window import PageRequest, PrefixCount, Window
from indexer.model.table.selection import Selection
from indexer.pipeline.memory import MemoryBudget
from indexer.pipeline.threads import PageBatch
from indexer.retry import RetryPolicy
from indexer.source.protocol import Page, Reader

__all__ = ["SliceReader"]

LINE_COST: Final = 2
"""Bytes in memory for each byte of a finished document: the document, and the request body that holds it."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A walk, and what of its slice comes after it."""

    walk: Walk
    number: int
    later: tuple[Window, ...]


@dataclass(slots=True)
class SliceReader:
    """What one reader needs.

    Attributes:
        reader: its own connection to the source.
        selection: what is read.
        documents: makes documents of rows.
        budget: the job's bytes in flight.
        counters: the job's counters.
        size: decides the rows of the next page.
        batch_bytes: the most bytes of one bulk request.
        patience: how long the source may stay away.
        stop: set when the job ends early.
        tracker: keeps which pages are acknowledged.
        put: hands a batch to the writers; waits where they are behind.
    """

    reader: Reader
    selection: Selection
    documents: DocumentBuilder
    budget: MemoryBudget
    counters: Counters
    size: PageSize
    batch_bytes: int
    patience: RetryPolicy
    stop: Event
    tracker: AckTracker
    put: Callable[[PageBatch], None]

    def run(self, slices: Iterator[SliceProgress]) -> None:
        """Walk slices until there are none, or the job stops."""
        for part in slices:
            for place, window in enumerate(part.windows):
                way = walk_through(
                    window,
                    key_column=self.selection.place(self.selection.key.column),
                    tiebreakers=self.selection.tiebreaker_places,
                    limit=self.size.limit,
                    rows=part.rows - part.read,
                )
                on = _Way(way, part.number, part.windows[place + 1 :])
                while not self.stop.is_set() and self._step(on):
                    pass

    def _step(self, on: _Way) -> bool:
        """PageRequest one question and use its answer; False at the end of the walk."""
        way = on.walk
        way.limit = self.size.limit
        request = way.next_request()
        if request is None:
            return False
        try:
            if isinstance(request, PrefixCount):
                way.learn_counts(self.reader.count_prefixes(request))
            else:
                self._page(on, request)
        except (SourceUnavailable, ResponseTooLarge) as error:
            _refuse_depth(error, request)
            self._recover(error)
        else:
            self.patience.calm()
        return True

    def _page(self, on: _Way, ask: PageRequest) -> None:
        cost = self.size.share
        self.budget.take(cost)
        try:
            page, seconds = self._timed(ask)
            self.size.saw(len(page.rows), page.size)
            rows = on.walk.take(page.rows)
            nulled = self.documents.nulled
            lines = self.documents.lines(rows)
        except BaseException:
            self.budget.give(cost)
            raise
        self.budget.correct(cost, LINE_COST * sum(map(len, lines)))
        self.counters.read(len(rows), seconds, self.documents.nulled - nulled)
        made = list(split_batches(lines, self.batch_bytes))
        entry = self.tracker.page(on.number, (*on.walk.remaining(), *on.later), rows=len(rows), batches=len(made))
        for batch in made:
            self.put(PageBatch(batch, entry))

    def _timed(self, ask: PageRequest) -> tuple[Page, float]:
        began = time.perf_counter()
        page = self.reader.page(ask, self.size.most)
        return page, time.perf_counter() - began

    def _recover(self, error: IndexerError) -> None:
        """Wait, or ask for less; raises the error again where neither can help any more."""
        self.counters.retried()
        if isinstance(error, ResponseTooLarge) and self.size.shrink():
            tripped = isinstance(error, BreakerTripped)
            why = "the source's circuit breaker tripped" if tripped else "rows are wider than --memory has room for"
            self.counters.wait(f"{why}, asking for smaller pages")
            return
        pause = self.patience.pause()
        if pause is None:
            raise error
        trouble = "away" if isinstance(error, SourceUnavailable) else "short of memory"
        self.counters.wait(f"the source is {trouble} ({error}), asking again")
        if self.stop.wait(pause):
            raise Interrupted("The job was stopped.") from error


def _refuse_depth(error: IndexerError, request: PageRequest | PrefixCount) -> None:
    """Give up where a smaller page cannot help, for most of what tripped the breaker lies before the page.

    Raises:
        SourceError: with what the source said, and what helps.
    """
    if isinstance(error, BreakerTripped) and isinstance(request, PageRequest) and request.skipped > request.limit:
        raise SourceError(
            f"{error}; it holds all {request.skipped:,} rows before a page at OFFSET {request.skipped:,}, however"
            " small --page is: start anew with --strategy window --fresh, whose pages cost the same at any depth.",
            error.code,
        ) from error
