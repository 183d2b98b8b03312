"""Loading: readers walk slices, writers send batches, one budget of bytes between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.job.dead_letters import DeadLetterFile
from indexer.job.lock import Lease
from indexer.model.job.checkpoint import AckTracker
from indexer.model.job.plan import Plan
from indexer.model.job.progress import Counters
from indexer.model.table.selection import Selection
from indexer.pipeline.pipeline import Pipeline
from indexer.pipeline.threads import PageBatch, WorkerGroup
from indexer.retry import RetryPolicy, with_retry
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster
from indexer.sink.rate_limit import RateLimit
from indexer.source.protocol import Source

__all__ = ["Load"]

_AHEAD: Final = 2
"""Batches that wait for each writer: enough that none is idle; more would only hold memory."""


@dataclass(slots=True)
class Load:
    """One load of a plan into its index.

    Attributes:
        plan: what to load, and where.
        selection: by which key: the plan's, or another one for a pass after the load.
        settings: page, readers, writers, memory, batch bytes.
        source: where the rows are.
        cluster: where the index is, made already.
        counters: the job's counters.
        letters: where dead letters go.
        tracker: what is left to load; it advances as Elasticsearch acknowledges.
        lease: the alias' lock, which writes the tracker every second.
    """

    plan: Plan
    selection: Selection
    settings: Settings
    source: Source
    cluster: Cluster
    counters: Counters
    letters: DeadLetterFile
    tracker: AckTracker
    lease: Lease

    def run(self) -> None:
        """Load every slice.

        Raises:
            ShardsUnavailable: where pages may have come without some of their rows; `lease.state` is the last sound state.
            IndexerError: the first failure of any reader or writer.
        """
        stream = Pipeline(self.settings, self.selection, self.plan.mapping, self.source, self.counters, self.tracker)
        bulk = self._bulk(stream.workers)
        stream.run("writer", lambda batches: self._write(bulk, batches), ahead=_AHEAD, beside=self.lease.beat_until)
        with_retry(self.lease.beat, RetryPolicy(self.settings.patience), stream.workers.stop, self.counters)

    def _bulk(self, workers: WorkerGroup) -> BulkWriter:
        return BulkWriter(
            self.cluster,
            self.plan.job,
            stop=workers.stop,
            patience=self.settings.patience,
            on_wait=lambda reason, _seconds: self.counters.wait(reason),
            pace=RateLimit(self.settings.writers, self.settings.batch_bytes),
            on_pace=self._slow,
        )

    def _slow(self, pace: RateLimit, reason: str) -> None:
        self.counters.slow("" if pace.full else f"{pace}: {reason}")

    def _write(self, bulk: BulkWriter, batches: Iterator[PageBatch]) -> None:
        for batch, entry in batches:
            written = bulk.write(batch.lines)
            self.letters.add(written.dead)
            self.tracker.acknowledged(entry, len(written.dead), written.again)
            self.counters.indexed(written.done, batch.size, len(written.dead), written.retries)
