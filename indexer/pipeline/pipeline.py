"""A stream of documents: readers walk slices, takers use the batches, one budget of bytes between them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from indexer.model.document.document import DocumentBuilder
from indexer.model.job.checkpoint import AckTracker, SliceProgress
from indexer.model.job.progress import Counters
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.paging.page_size import PageSize
from indexer.model.table.selection import Selection
from indexer.pipeline.memory import MemoryBudget, rare_garbage_collection
from indexer.pipeline.reader import LINE_COST, SliceReader
from indexer.pipeline.threads import BatchQueue, PageBatch, WorkerGroup
from indexer.retry import RetryPolicy, with_retry
from indexer.settings import Settings
from indexer.source.protocol import Source

__all__ = ["Pipeline"]

SideTask = Callable[[threading.Event, threading.Event], None]


@dataclass(slots=True)
class Pipeline:
    """One pass over what is left of a table.

    Attributes:
        settings: page, readers, writers (as many threads take batches), memory, batch bytes, patience.
        selection: what is read.
        mapping: what documents are made by.
        source: where the rows are.
        counters: the counters of rows read.
        tracker: what is left to read; it advances as takers acknowledge.
        worker group: the threads.
    """

    settings: Settings
    selection: Selection
    mapping: IndexMapping
    source: Source
    counters: Counters
    tracker: AckTracker
    workers: WorkerGroup = field(default_factory=WorkerGroup)

    def run(
        self, name: str, take: Callable[[Iterator[PageBatch]], None], *, ahead: int, beside: SideTask | None = None
    ) -> None:
        """Read every slice to its end, and have every batch taken.

        Args:
            name: of the threads that take.
            take: called by each of them with the batches that it gets.
            ahead: batches that wait for each of them: enough that none is idle; more would only hold memory.
            beside: called by a thread of its own, with an event for the end and one for an end before that.

        Raises:
            IndexerError: the first failure of any thread.
        """
        queue = BatchQueue(self.settings.writers * ahead, self.workers.stop)
        budget = MemoryBudget(self.settings.memory, self.workers.stop)
        with rare_garbage_collection():
            takers = self._start(name, self.settings.writers, lambda: take(_paid(queue, budget)))
            slices = _Shared(part for part in self.tracker.slices() if part.windows)
            readers = self._start("reader", self.settings.readers, lambda: self._read(queue, budget, slices))
            ended = threading.Event()
            others = self._start("beside", 1, lambda: beside(ended, self.workers.stop)) if beside else []
            self.workers.join(readers)
            queue.close()
            self.workers.join(takers)
            ended.set()
            self.workers.join(others)

    def _start(self, name: str, number: int, work: Callable[[], None]) -> list[threading.Thread]:
        return [self.workers.start(f"{name}-{place}", work) for place in range(number)]

    def _read(self, queue: BatchQueue, budget: MemoryBudget, slices: Iterator[SliceProgress]) -> None:
        patience = RetryPolicy(self.settings.patience)
        reader = with_retry(lambda: self.source.reader(self.selection), patience, self.workers.stop, self.counters)
        try:
            SliceReader(
                reader=reader,
                selection=self.selection,
                documents=DocumentBuilder(self.selection, self.mapping),
                budget=budget,
                counters=self.counters,
                size=PageSize(self.settings.page, self.settings.memory // (2 * self.settings.readers)),
                batch_bytes=self.settings.batch_bytes,
                patience=patience,
                stop=self.workers.stop,
                tracker=self.tracker,
                put=queue.put,
            ).run(slices)
        finally:
            reader.close()


def _paid(queue: BatchQueue, budget: MemoryBudget) -> Iterator[PageBatch]:
    """The batches; each gives its bytes back once the next one is asked for."""
    for page_batch in queue:
        yield page_batch
        budget.give(LINE_COST * page_batch.batch.size)


class _Shared(Iterator[SliceProgress]):
    """The slices, for several threads to take from."""

    def __init__(self, slices: Iterable[SliceProgress]) -> None:
        self._slices = iter(slices)
        self._lock = threading.Lock()

    def __next__(self) -> SliceProgress:
        with self._lock:
            return next(self._slices)
