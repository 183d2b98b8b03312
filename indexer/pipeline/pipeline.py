"""A pipeline of documents: readers walk slices, takers use the batches, one budget bounds the bytes between them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from indexer.model.document.document import DocumentBuilder
from indexer.model.job.checkpoint import AckTracker, SliceProgress
from indexer.model.job.progress import Counters
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.paging.page_size import PageSize
from indexer.model.table.selection import Selection
from indexer.pipeline.memory import MemoryBudget, rare_garbage_collection
from indexer.pipeline.reader import LINE_COST, PageOutput, SliceReader
from indexer.pipeline.threads import BatchQueue, PageBatch, WorkerGroup
from indexer.retry import Retrier, RetryPolicy
from indexer.source.protocol import Source

__all__ = ["Limits", "Pipeline"]

SideTask = Callable[[threading.Event, threading.Event], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a pipeline may use.

    Attributes:
        page: rows of a page, at most.
        readers: threads that read the source.
        writers: threads that take batches.
        memory: bytes in flight, at most.
        batch_bytes: bytes of the documents of a batch, at most.
        retry: how long a failing request is retried.
    """

    page: int
    readers: int
    writers: int
    memory: int
    batch_bytes: int
    retry: RetryPolicy


@dataclass(slots=True)
class Pipeline:
    """One pass over the unread rows of a table.

    Attributes:
        source: where the rows are.
        limits: threads, bytes and retries.
        counters: counts the rows read, and shows waits.
        selection: what is read, by which key.
        mapping: what documents are made by.
        tracker: the slices; it advances as takers acknowledge.
        workers: the threads.
    """

    source: Source
    limits: Limits
    counters: Counters
    selection: Selection
    mapping: IndexMapping
    tracker: AckTracker
    workers: WorkerGroup = field(init=False, default_factory=WorkerGroup)

    @property
    def retrier(self) -> Retrier:
        """Retries requests of the pipeline's threads until it stops."""
        counters = self.counters
        return Retrier(self.limits.retry, self.workers.stop, on_wait=counters.retry, on_success=counters.end_wait)

    def run(
        self, name: str, take: Callable[[Iterator[PageBatch]], None], *, ahead: int, beside: SideTask | None = None
    ) -> None:
        """Read every slice to its end, and have every batch taken.

        Args:
            name: the takers' name for their threads.
            take: called by each taker with its batches.
            ahead: batches that wait for each taker: enough that none is idle; more would only hold memory.
            beside: called by a thread of its own, with an event for the end and one for an early end.

        Raises:
            IndexerError: the first failure of any thread.
        """
        queue = BatchQueue(self.limits.writers * ahead, self.workers.stop)
        budget = MemoryBudget(self.limits.memory, self.workers.stop)
        output = PageOutput(budget, self.counters, self.tracker, queue, self.limits.batch_bytes)
        with rare_garbage_collection():
            takers = self._start(name, self.limits.writers, lambda: take(_paid(queue, budget)))
            slices = _SharedSlices(progress for progress in self.tracker.slices() if progress.windows)
            readers = self._start("reader", self.limits.readers, lambda: self._read(output, slices))
            ended = threading.Event()
            others = self._start("beside", 1, lambda: beside(ended, self.workers.stop)) if beside else []
            self.workers.join(readers)
            queue.close()
            self.workers.join(takers)
            ended.set()
            self.workers.join(others)

    def _start(self, name: str, number: int, work: Callable[[], None]) -> list[threading.Thread]:
        return [self.workers.start(f"{name}-{place}", work) for place in range(number)]

    def _read(self, output: PageOutput, slices: Iterator[SliceProgress]) -> None:
        retrier = self.retrier
        with closing(retrier.call(lambda: self.source.reader(self.selection))) as reader:
            SliceReader(
                reader=reader,
                selection=self.selection,
                documents=DocumentBuilder(self.selection, self.mapping),
                size=PageSize(self.limits.page, self.limits.memory // (2 * self.limits.readers)),
                attempts=retrier.attempts(),
                output=output,
            ).run(slices)


def _paid(queue: BatchQueue, budget: MemoryBudget) -> Iterator[PageBatch]:
    """The batches; each gives its bytes back once the next one is requested."""
    for page_batch in queue:
        yield page_batch
        budget.give(LINE_COST * page_batch.batch.size)


class _SharedSlices(Iterator[SliceProgress]):
    """The slices, for several threads to take from."""

    def __init__(self, slices: Iterable[SliceProgress]) -> None:
        self._slices = iter(slices)
        self._lock = threading.Lock()

    def __next__(self) -> SliceProgress:
        with self._lock:
            return next(self._slices)
