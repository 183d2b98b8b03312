"""What every step of a job works with: both servers, the index of jobs, the limits, and where waits are shown."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from indexer.model.job.checkpoint import AckTracker
from indexer.model.job.progress import Counters
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection
from indexer.pipeline.pipeline import Limits, Pipeline
from indexer.retry import Retrier, RetryPolicy
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.job_store import JobStore
from indexer.sink.rate_limit import RateLimit, RateLimiter
from indexer.source.open import open_source
from indexer.source.protocol import Source

__all__ = ["JobContext", "open_context"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class JobContext:
    """Both servers, connected, and what a job may use of them.

    Attributes:
        source: where the rows are.
        cluster: where the index is.
        jobs: the index of jobs, with the locks.
        limits: threads, bytes and retries.
        counters: the job's counters.
        show_wait: called with the reason of each wait.
    """

    source: Source
    cluster: Cluster
    jobs: JobStore
    limits: Limits
    counters: Counters
    show_wait: Callable[[str], None]

    def retrier(self, stop: Event | None = None) -> Retrier:
        """Retries as long as `--patience` allows."""
        return Retrier(self.limits.retry, stop, on_wait=self._show_retry, on_success=self.counters.end_wait)

    def retry(self, operation: Callable[[], Result]) -> Result:
        """Run an operation, and retry it where a server does not answer; see `Retrier.call`."""
        return self.retrier().call(operation)

    def pipeline(self, selection: Selection, mapping: IndexMapping, tracker: AckTracker) -> Pipeline:
        """A pipeline over the unread rows of the tracker's slices."""
        return Pipeline(self.source, self.limits, self.counters, selection, mapping, tracker)

    def writer(self, index: str, stop: Event | None = None, *, alias: str | None = None) -> BulkWriter:
        """Writes batches to an index; see `BulkWriter`."""
        return BulkWriter(
            self.cluster,
            index,
            alias=alias,
            limiter=RateLimiter(RateLimit(self.limits.writers, self.limits.batch_bytes), stop, self._show_limit),
            retry=self.limits.retry,
            on_wait=lambda reason, _seconds: self.show_wait(reason),
        )

    def _show_retry(self, reason: str, seconds: float) -> None:
        self.counters.retry(reason, seconds)
        self.show_wait(reason)

    def _show_limit(self, limit: RateLimit, reason: str) -> None:
        self.counters.slow("" if limit.full else f"{limit}: {reason}")


@contextmanager
def open_context(
    settings: Settings, counters: Counters, show_wait: Callable[[str], None] | None = None
) -> Iterator[JobContext]:
    """Connect both servers while the block runs.

    Args:
        settings: how to reach them, and the limits.
        counters: the job's counters.
        show_wait: called with the reason of each wait; the counters by default.

    Raises:
        UsageError: where a URL, an option or a credential is wrong, or Elasticsearch does not answer.
    """
    limits = Limits(
        page=settings.page,
        readers=settings.readers,
        writers=settings.writers,
        memory=settings.memory,
        batch_bytes=settings.batch_bytes,
        retry=RetryPolicy(settings.patience),
    )
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        jobs = JobStore(cluster, settings.jobs_index)
        yield JobContext(source, cluster, jobs, limits, counters, show_wait or counters.wait)
