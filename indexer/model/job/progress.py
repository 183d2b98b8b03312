"""The counters of a running job, and the one snapshot of them that feeds the terminal, the log and the report."""

import threading
import time
from dataclasses import dataclass, replace
from statistics import quantiles

__all__ = ["Counters", "Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at one moment.

    Attributes:
        phase: what it does now: `planning`, `loading`, `catching up`, `verifying`, `switching`.
        rows_expected: rows that the plan counted; None before it did.
        rows_before: rows that earlier runs of the job have done.
        rows_read: rows read from the source.
        rows_indexed: documents that Elasticsearch acknowledged.
        dead_letters: documents that it rejected for good.
        retries: requests that were retried, on either side.
        bytes_indexed: bytes of the acknowledged documents.
        pages: pages read.
        nulled: NaN and infinite values that became null.
        seconds: since the phase began.
        waiting: why a thread of the job waits, or empty.
        slowed: to what pace Elasticsearch slowed the job down, and why, or empty.
    """

    phase: str = "planning"
    rows_expected: int | None = None
    rows_before: int = 0
    rows_read: int = 0
    rows_indexed: int = 0
    dead_letters: int = 0
    retries: int = 0
    bytes_indexed: int = 0
    pages: int = 0
    nulled: int = 0
    seconds: float = 0.0
    waiting: str = ""
    slowed: str = ""

    @property
    def rows_done(self) -> int:
        """Rows that are in the index or dead letters, those of earlier runs included."""
        return self.rows_before + self.rows_indexed + self.dead_letters

    @property
    def rows_per_second(self) -> float:
        """Documents a second, over the whole phase."""
        return self.rows_indexed / self.seconds if self.seconds else 0.0

    @property
    def bytes_per_second(self) -> float:
        """Bytes of documents a second, over the whole phase."""
        return self.bytes_indexed / self.seconds if self.seconds else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds that are left at this speed; None where that cannot be known."""
        if self.rows_expected is None or not self.rows_indexed:
            return None
        return max(0, self.rows_expected - self.rows_done) / self.rows_per_second


class Counters:
    """The counters that a job's threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = Progress()
        self._began = time.monotonic()
        self._page_seconds: list[float] = []
        self._waits: dict[int, str] = {}

    def begin(self, phase: str, rows_expected: int | None = None, before: int = 0) -> None:
        """Enter a phase; its seconds count from now. `before` are rows that earlier runs have done."""
        with self._lock:
            expected = self._now.rows_expected if rows_expected is None else rows_expected
            done = self._now.rows_before + before
            self._now = replace(self._now, phase=phase, rows_expected=expected, rows_before=done, slowed="")
            self._waits.clear()
            self._began = time.monotonic()

    def expect(self, rows: int) -> None:
        """So many rows more are to be indexed, or compared, in this phase."""
        with self._lock:
            self._now = replace(self._now, rows_expected=(self._now.rows_expected or 0) + rows)

    def read(self, rows: int, seconds: float, nulled: int = 0) -> None:
        """A page came and was taken."""
        with self._lock:
            now = self._now
            self._page_seconds.append(seconds)
            self._now = replace(now, rows_read=now.rows_read + rows, pages=now.pages + 1, nulled=now.nulled + nulled)
            self._waits.pop(threading.get_ident(), None)

    def indexed(self, rows: int, size: int, dead: int, retries: int) -> None:
        """A batch was acknowledged."""
        with self._lock:
            now = self._now
            self._now = replace(
                now,
                rows_indexed=now.rows_indexed + rows,
                bytes_indexed=now.bytes_indexed + size,
                dead_letters=now.dead_letters + dead,
                retries=now.retries + retries,
            )
            self._waits.pop(threading.get_ident(), None)

    def wait(self, reason: str) -> None:
        """This thread waits, for this reason, until it has read or indexed something, or goes on."""
        with self._lock:
            self._waits[threading.get_ident()] = reason

    def end_wait(self) -> None:
        """This thread waits no longer."""
        with self._lock:
            self._waits.pop(threading.get_ident(), None)

    def clear_waits(self) -> None:
        """No thread waits, and nothing is slowed down: the threads that did have ended."""
        with self._lock:
            self._now = replace(self._now, slowed="")
            self._waits.clear()

    def slow(self, reason: str) -> None:
        """Elasticsearch slowed the job down, to a limit and for a reason; empty at the full limit."""
        with self._lock:
            self._now = replace(self._now, slowed=reason)

    def retry(self, reason: str, _seconds: float = 0.0) -> None:
        """A request of this thread failed and is retried: why it waits."""
        with self._lock:
            self._now = replace(self._now, retries=self._now.retries + 1)
            self._waits[threading.get_ident()] = reason

    def snapshot(self) -> Progress:
        """The job at this moment."""
        with self._lock:
            waiting = next(iter(self._waits.values()), "")
            return replace(self._now, seconds=time.monotonic() - self._began, waiting=waiting)

    def page_milliseconds(self) -> tuple[float, float]:
        """The median and the 95th percentile of the time of a page, in milliseconds; 0 before any page came."""
        with self._lock:
            seconds = list(self._page_seconds)
        if len(seconds) < 2:  # noqa: PLR2004  # quantiles need two points
            return (seconds[0] * 1000,) * 2 if seconds else (0.0, 0.0)
        cuts = quantiles(seconds, n=20, method="inclusive")
        return cuts[9] * 1000, cuts[18] * 1000
