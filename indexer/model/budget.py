"""The one budget of bytes in flight that readers take from before they ask, and writers give back to."""

import threading

from indexer.errors import Interrupted

__all__ = ["Budget"]


class Budget:
    """A number of bytes shared by all threads of a job.

    A page takes its estimated cost before it is asked for, is corrected once its size is known, and is given back
    batch by batch as Elasticsearch acknowledges. One page may always pass, however large: a budget that is taken by
    nobody grants any amount, so that no job stalls.

    Attributes:
        total: the bytes of the budget.
        peak: the most that was ever taken, in bytes.
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
            Interrupted: where the job was stopped meanwhile.
        """
        with self._changed:
            while self._taken and self._taken + amount > self.total:
                if self._stop.is_set():
                    raise Interrupted("The job was stopped.")
                self._changed.wait(timeout=0.2)
            self._add(amount)

    def correct(self, estimated: int, actual: int) -> None:
        """Replace an estimate by what it came to, without waiting: the bytes are there already."""
        with self._changed:
            self._add(actual - estimated)
            self._changed.notify_all()

    def give(self, amount: int) -> None:
        """Give bytes back."""
        self.correct(amount, 0)

    def _add(self, amount: int) -> None:
        self._taken += amount
        self.peak = max(self.peak, self._taken)
