"""The load: readers walk slices, writers send batches, and one budget bounds the bytes between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.job.context import JobContext
from indexer.job.dead_letters import DeadLetterFile
from indexer.job.lock import Lease
from indexer.model.job.checkpoint import AckTracker
from indexer.model.job.plan import Plan
from indexer.model.table.selection import Selection
from indexer.pipeline.threads import PageBatch
from indexer.sink.bulk import BulkWriter

__all__ = ["Load"]

_AHEAD: Final = 2
"""Batches that wait for each writer: enough that none is idle; more would only hold memory."""


@dataclass(slots=True)
class Load:
    """One load of rows into the index of a plan, which is created already.

    Attributes:
        context: both servers, and the limits.
        plan: what to load, and where.
        selection: by which key: the plan's, or another one for a pass after the load.
        tracker: the slices to load; it advances as Elasticsearch acknowledges.
        letters: where dead letters go.
        lease: the alias' lock, which writes the tracker every second.
    """

    context: JobContext
    plan: Plan
    selection: Selection
    tracker: AckTracker
    letters: DeadLetterFile
    lease: Lease

    def run(self) -> None:
        """Load every slice.

        Raises:
            ShardsUnavailable: where pages may lack some of their rows; `lease.state` is the last sound state.
            IndexerError: the first failure of any reader or writer.
        """
        pipeline = self.context.pipeline(self.selection, self.plan.mapping, self.tracker)
        bulk = self.context.writer(self.plan.job, pipeline.workers.stop)
        pipeline.run("writer", lambda batches: self._write(bulk, batches), ahead=_AHEAD, beside=self.lease.beat_until)
        pipeline.retrier.call(self.lease.beat)

    def _write(self, bulk: BulkWriter, batches: Iterator[PageBatch]) -> None:
        counters = self.context.counters
        for batch, page in batches:
            written = bulk.write(batch.lines)
            self.letters.add(written.dead_letters)
            self.tracker.acknowledged(page, len(written.dead_letters), written.replaced)
            counters.indexed(written.acknowledged, batch.size, len(written.dead_letters), written.retries)
