"""Memory of a job: one budget of bytes in flight, rare garbage collection, and the peak of the process."""

import gc
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from indexer.errors import Interrupted

__all__ = ["MemoryBudget", "peak_rss", "rare_garbage_collection"]


class MemoryBudget:
    """A number of bytes shared by all threads of a job.

    A page takes its estimated cost before it is requested, corrects it once its size is known, and gives it back batch
    by batch as Elasticsearch acknowledges. One page may always pass, however large: while nothing is taken, the budget
    grants any amount, so that no job stalls.

    Attributes:
        total: the bytes of the budget.
        peak: the most bytes that were ever taken.
    """

    def __init__(self, total: int, stop: threading.Event) -> None:
        self.total = total
        self.peak = 0
        self._taken = 0
        self._stop = stop
        self._changed = threading.Condition()

    @property
    def taken(self) -> int:
        """The bytes taken now."""
        return self._taken

    def take(self, amount: int) -> None:
        """Wait until `amount` bytes are free, and take them.

        Raises:
            Interrupted: where the job was stopped during the wait.
        """
        with self._changed:
            while self._taken and self._taken + amount > self.total:
                if self._stop.is_set():
                    raise Interrupted("The job was stopped; the old index is still served.")
                self._changed.wait(timeout=0.2)
            self._add(amount)

    def correct(self, estimated: int, actual: int) -> None:
        """Replace an estimate by the actual number, without waiting: the bytes are there already."""
        with self._changed:
            self._add(actual - estimated)
            self._changed.notify_all()

    def give(self, amount: int) -> None:
        """Give bytes back."""
        self.correct(amount, 0)

    def _add(self, amount: int) -> None:
        self._taken += amount
        self.peak = max(self.peak, self._taken)


def peak_rss() -> int:
    """The most memory that this process held, in bytes.

    Linux' own `VmHWM`: `ru_maxrss` keeps, over fork and exec, the peak of the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


_ALLOCATIONS: Final = 100_000
"""Net new containers between two collections, about two pages of 10,000 rows; Python's default is 700."""


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Collect cycles rarely, and not among what was imported: pages are lists of lists, without a cycle.

    Python scans all of a page many times while it is decoded: of 400,000 sample rows, reading and making documents took
    6.8 µs of CPU a row in one thread, and 4.1 with this (measured by hand). What has no cycle is freed at once, as
    ever, so that memory stays as bounded.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
