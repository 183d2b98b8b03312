"""Loading: readers walk slices, writers send batches, one budget of bytes between them."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from indexer.job.asking import asked
from indexer.job.crew import Crew
from indexer.job.dead_letters import DeadLetterFile
from indexer.job.handover import Handover
from indexer.job.lease import Lease
from indexer.job.reading import LINE_COST, Reading
from indexer.model.budget import Budget
from indexer.model.document import Documents
from indexer.model.ledger import Ledger, Left
from indexer.model.pace import Pace
from indexer.model.page_size import PageSize
from indexer.model.patience import Patience
from indexer.model.plan import Plan
from indexer.model.progress import Counters
from indexer.model.selection import Selection
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.target.bulk import BulkWriter
from indexer.target.client import Cluster

__all__ = ["Load"]


_AHEAD: Final = 2
"""Batches that wait for each writer: enough that none is idle; more would only hold memory."""


@dataclass(slots=True)
class Load:
    """One load of a plan into its index.

    Attributes:
        plan: what to load, and where.
        selection: by which key: the plan's, or another one for a round after the load.
        settings: page, readers, writers, memory, batch bytes.
        source: where the rows are.
        cluster: where the index is, made already.
        counters: the job's counters.
        letters: where dead letters go.
        ledger: what is left to load; it advances as Elasticsearch acknowledges.
        lease: the alias' lock, which writes the ledger every second.
    """

    plan: Plan
    selection: Selection
    settings: Settings
    source: Source
    cluster: Cluster
    counters: Counters
    letters: DeadLetterFile
    ledger: Ledger
    lease: Lease

    def run(self) -> None:
        """Load every slice.

        Raises:
            ShardsAway: where pages may have come without some of their rows; `lease.state` is the last sound state.
            IndexerError: the first failure of any reader or writer.
        """
        crew = Crew()
        handover = Handover(self.settings.writers * _AHEAD, crew.stop)
        budget = Budget(self.settings.memory, crew.stop)
        slices = _Shared(part for part in self.ledger.left() if part.windows)
        bulk = self._bulk(crew)
        writers = [
            crew.start(f"writer-{number}", lambda: self._write(bulk, handover, budget))
            for number in range(self.settings.writers)
        ]
        readers = [
            crew.start(f"reader-{number}", lambda: self._read(crew, handover, budget, slices))
            for number in range(self.settings.readers)
        ]
        ended = threading.Event()
        beats = crew.start("lease", lambda: self.lease.beat_until(ended, crew.stop))
        crew.join(readers)
        handover.close()
        crew.join(writers)
        ended.set()
        crew.join([beats])
        asked(self.lease.beat, Patience(self.settings.patience), crew.stop, self.counters)

    def _read(self, crew: Crew, handover: Handover, budget: Budget, slices: Iterator[Left]) -> None:
        patience = Patience(self.settings.patience)
        reader = asked(lambda: self.source.reader(self.selection), patience, crew.stop, self.counters)
        try:
            Reading(
                reader=reader,
                selection=self.selection,
                documents=Documents(self.selection, self.plan.mapping),
                budget=budget,
                counters=self.counters,
                size=PageSize(self.settings.page, self.settings.memory // (2 * self.settings.readers)),
                batch_bytes=self.settings.batch_bytes,
                patience=patience,
                stop=crew.stop,
                ledger=self.ledger,
                put=handover.put,
            ).run(slices)
        finally:
            reader.close()

    def _bulk(self, crew: Crew) -> BulkWriter:
        return BulkWriter(
            self.cluster,
            self.plan.job,
            stop=crew.stop,
            patience=self.settings.patience,
            on_wait=lambda reason, _seconds: self.counters.wait(reason),
            pace=Pace(self.settings.writers, self.settings.batch_bytes),
            on_pace=self._slow,
        )

    def _slow(self, pace: Pace, reason: str) -> None:
        self.counters.slow("" if pace.full else f"{pace}: {reason}")

    def _write(self, bulk: BulkWriter, handover: Handover, budget: Budget) -> None:
        for batch, entry in handover:
            written = bulk.write(batch.lines)
            self.letters.add(written.dead)
            self.ledger.acknowledged(entry, len(written.dead), written.again)
            self.counters.indexed(written.done, batch.size, len(written.dead), written.retries)
            budget.give(LINE_COST * batch.size)


class _Shared(Iterator[Left]):
    """The slices, for several threads to take from."""

    def __init__(self, slices: Iterable[Left]) -> None:
        self._slices = iter(slices)
        self._lock = threading.Lock()

    def __next__(self) -> Left:
        with self._lock:
            return next(self._slices)
