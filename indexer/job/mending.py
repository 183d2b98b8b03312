"""Repairing an index: what is missing or different is written anew, what is extra is deleted, within limits."""

import threading
from collections.abc import Callable, Container, Sequence

from indexer.job.comparing import Comparing
from indexer.model.pace import Pace
from indexer.model.verification import Repair
from indexer.settings import Settings
from indexer.target.bulk import BulkWriter
from indexer.target.client import Cluster
from indexer.target.removal import remove
from indexer.target.scan import Served

__all__ = ["Mending"]

_REASONS = 5
"""Rejections whose reason is kept."""


class Mending:
    """One repair. Threads may share it.

    Args:
        cluster: where the index is.
        served: the index, and the alias to write through.
        settings: patience.
        rejected: the ids of dead letters.
        ours: called before each write; raises where this process no longer holds the lock of the alias.
    """

    def __init__(
        self,
        cluster: Cluster,
        served: Served,
        settings: Settings,
        *,
        rejected: Container[str],
        ours: Callable[[], None],
    ) -> None:
        self._cluster = cluster
        self._index = served.index
        pace = Pace(settings.writers, settings.batch_bytes)
        self._writer = BulkWriter(cluster, served.index, alias=served.alias, patience=settings.patience, pace=pace)
        self._known = rejected
        self._ours = ours
        self._lock = threading.Lock()
        self._written = 0
        self._deleted = 0
        self._still = 0
        self._rejected: list[str] = []
        self._refused = ""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write rows anew."""
        self._ours()
        written = self._writer.write(lines)
        with self._lock:
            self._written += written.done
            self._still += sum(letter.id in self._known for letter in written.dead)
            self._rejected += [f"{letter.id}: {letter.reason}" for letter in written.dead]
            del self._rejected[_REASONS:]

    def delete(self, comparing: Comparing, extra: int, most: int) -> None:
        """Delete what no row stands behind; nothing where that is more than `most`, or where a row may be unseen."""
        incomplete = comparing.incomplete()
        if incomplete:
            self._refused = incomplete
        elif extra > most:
            self._refused = (
                f"{extra:,} documents are extra, and --max-deletes allows {most:,}: raise it if they are, or reindex"
            )
        else:
            for ids in comparing.extra():
                self._ours()
                self._deleted += remove(self._cluster, self._index, ids)

    def done(self) -> Repair:
        """What was done so far."""
        return Repair(self._written, self._deleted, self._still, tuple(self._rejected), self._refused)
