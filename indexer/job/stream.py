"""A stream of documents: readers walk slices, takers use the batches, one budget of bytes between them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from indexer.job.asking import asked
from indexer.job.collector import seldom_collecting
from indexer.job.crew import Crew
from indexer.job.handover import Handover, Parcel
from indexer.job.reading import LINE_COST, Reading
from indexer.model.budget import Budget
from indexer.model.document import Documents
from indexer.model.ledger import Ledger, Left
from indexer.model.mapping import Mapping
from indexer.model.page_size import PageSize
from indexer.model.patience import Patience
from indexer.model.progress import Counters
from indexer.model.selection import Selection
from indexer.settings import Settings
from indexer.source.base import Source

__all__ = ["Stream"]

Beside = Callable[[threading.Event, threading.Event], None]


@dataclass(slots=True)
class Stream:
    """One pass over what is left of a table.

    Attributes:
        settings: page, readers, writers (as many threads take batches), memory, batch bytes, patience.
        selection: what is read.
        mapping: what documents are made by.
        source: where the rows are.
        counters: the counters of rows read.
        ledger: what is left to read; it advances as takers acknowledge.
        crew: the threads.
    """

    settings: Settings
    selection: Selection
    mapping: Mapping
    source: Source
    counters: Counters
    ledger: Ledger
    crew: Crew = field(default_factory=Crew)

    def run(
        self, name: str, take: Callable[[Iterator[Parcel]], None], *, ahead: int, beside: Beside | None = None
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
        handover = Handover(self.settings.writers * ahead, self.crew.stop)
        budget = Budget(self.settings.memory, self.crew.stop)
        with seldom_collecting():
            takers = self._start(name, self.settings.writers, lambda: take(_paid(handover, budget)))
            slices = _Shared(part for part in self.ledger.left() if part.windows)
            readers = self._start("reader", self.settings.readers, lambda: self._read(handover, budget, slices))
            ended = threading.Event()
            others = self._start("beside", 1, lambda: beside(ended, self.crew.stop)) if beside else []
            self.crew.join(readers)
            handover.close()
            self.crew.join(takers)
            ended.set()
            self.crew.join(others)

    def _start(self, name: str, number: int, work: Callable[[], None]) -> list[threading.Thread]:
        return [self.crew.start(f"{name}-{place}", work) for place in range(number)]

    def _read(self, handover: Handover, budget: Budget, slices: Iterator[Left]) -> None:
        patience = Patience(self.settings.patience)
        reader = asked(lambda: self.source.reader(self.selection), patience, self.crew.stop, self.counters)
        try:
            Reading(
                reader=reader,
                selection=self.selection,
                documents=Documents(self.selection, self.mapping),
                budget=budget,
                counters=self.counters,
                size=PageSize(self.settings.page, self.settings.memory // (2 * self.settings.readers)),
                batch_bytes=self.settings.batch_bytes,
                patience=patience,
                stop=self.crew.stop,
                ledger=self.ledger,
                put=handover.put,
            ).run(slices)
        finally:
            reader.close()


def _paid(handover: Handover, budget: Budget) -> Iterator[Parcel]:
    """The batches; each gives its bytes back once the next one is asked for."""
    for parcel in handover:
        yield parcel
        budget.give(LINE_COST * parcel.batch.size)


class _Shared(Iterator[Left]):
    """The slices, for several threads to take from."""

    def __init__(self, slices: Iterable[Left]) -> None:
        self._slices = iter(slices)
        self._lock = threading.Lock()

    def __next__(self) -> Left:
        with self._lock:
            return next(self._slices)
