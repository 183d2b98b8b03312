"""The threads of a pipeline: started together, stopped together; the first error is raised where they were started."""

import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from threading import Event
from typing import Final, NamedTuple

from indexer.errors import Interrupted
from indexer.model.document.bulk_request import Batch
from indexer.model.job.checkpoint import PendingPage

__all__ = ["BatchQueue", "PageBatch", "WorkerGroup"]

_GRACE: Final = 5.0
"""Seconds that a stopped thread gets to end its request; it is a daemon, so it never keeps the process alive."""


class WorkerGroup:
    """Threads that share one task.

    Attributes:
        stop: set when one of them failed, or the user interrupted; every wait in the job watches it.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Start one thread."""
        thread = threading.Thread(target=self._guard, args=(work,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # raised again in `join`, in the thread that waits
            self._errors.append(error)
            self.stop.set()

    def join(self, threads: list[threading.Thread]) -> None:
        """Wait for these threads to end.

        Raises:
            Interrupted: on Ctrl-C or a signal, once the threads stopped.
            BaseException: the first error of any thread, once all of them stopped.
        """
        try:
            while any(thread.is_alive() for thread in threads) and not self.stop.is_set():
                for thread in threads:
                    thread.join(timeout=0.05)
        except KeyboardInterrupt:
            self.stop.set()
            self._settle()
            raise Interrupted("Interrupted: the alias was not moved; run the same command again to resume.") from None
        if self.stop.is_set():
            self._settle()
            raise next((e for e in self._errors if not isinstance(e, Interrupted)), self._errors[0])

    def _settle(self) -> None:
        until = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))


_TICK: Final = 0.1
"""Seconds between a waiting thread's checks whether the job stopped."""


class PageBatch(NamedTuple):
    """A batch on its way, with the page that it is part of.

    Attributes:
        batch: the documents.
        page: the page in the tracker.
    """

    batch: Batch
    page: PendingPage


class BatchQueue:
    """A queue of batches that ends when the readers are done or the job stops.

    Args:
        limit: batches that may wait; a reader that is further ahead waits.
        stop: set when the job ends early: batches that wait are dropped.
    """

    def __init__(self, limit: int, stop: Event) -> None:
        self._batches: Queue[PageBatch] = Queue(limit)
        self._stop = stop
        self._done = Event()

    @property
    def stopped(self) -> bool:
        """Whether the job ended early."""
        return self._stop.is_set()

    def put(self, page_batch: PageBatch) -> None:
        """Hand a batch over, as soon as there is room."""
        while not self._stop.is_set():
            try:
                self._batches.put(page_batch, timeout=_TICK)
            except Full:
                continue
            return

    def close(self) -> None:
        """No more batches will come."""
        self._done.set()

    def __iter__(self) -> Iterator[PageBatch]:
        """The batches; several writers may take from it, each with an iterator of its own."""
        while not self._stop.is_set():
            done = self._done.is_set()  # read before the queue: a batch that was put in between would be lost
            try:
                yield self._batches.get(block=not done, timeout=_TICK)
            except Empty:
                if done:
                    return
