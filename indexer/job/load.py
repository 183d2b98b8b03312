"""Loading: readers walk slices, writers send batches, one budget of bytes between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.job.asking import asked
from indexer.job.crew import Crew
from indexer.job.dead_letters import DeadLetterFile
from indexer.job.handover import Parcel
from indexer.job.lease import Lease
from indexer.job.stream import Stream
from indexer.model.ledger import Ledger
from indexer.model.pace import Pace
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
        stream = Stream(self.settings, self.selection, self.plan.mapping, self.source, self.counters, self.ledger)
        bulk = self._bulk(stream.crew)
        stream.run("writer", lambda parcels: self._write(bulk, parcels), ahead=_AHEAD, beside=self.lease.beat_until)
        asked(self.lease.beat, Patience(self.settings.patience), stream.crew.stop, self.counters)

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

    def _write(self, bulk: BulkWriter, parcels: Iterator[Parcel]) -> None:
        for batch, entry in parcels:
            written = bulk.write(batch.lines)
            self.letters.add(written.dead)
            self.ledger.acknowledged(entry, len(written.dead), written.again)
            self.counters.indexed(written.done, batch.size, len(written.dead), written.retries)
