"""How hard Elasticsearch is pressed: halved where it answers 429, and grown by a step with each request it takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Condition, Event
from typing import Final

from indexer.errors import Interrupted

__all__ = ["FULL", "OnRateLimit", "RateLimit", "RateLimiter"]

FULL: Final = 64
"""The level of full pace, so that one step is a sixty-fourth of it, and the least that is ever tried too."""

_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Additive increase, multiplicative decrease, of both the requests in flight and their size.

    Attributes:
        most_requests: requests in flight at full pace.
        most_bytes: bytes of a request at full pace.
        level: where it is, from 1 to `FULL`.
        cuts: how often it was halved.
    """

    most_requests: int
    most_bytes: int
    level: int = FULL
    cuts: int = 0

    @property
    def full(self) -> bool:
        """Whether nothing is held back."""
        return self.level == FULL

    @property
    def requests(self) -> int:
        """Requests that may be in flight, at least one."""
        return max(1, self.most_requests * self.level // FULL)

    @property
    def bytes(self) -> int:
        """Bytes that a request may have, unless it is of one document."""
        return max(1, self.most_bytes * self.level // FULL)

    def refused(self, sent: "RateLimit") -> "RateLimit":
        """After a 429 to a request that was sent at the pace `sent`.

        Requests that were in flight together are refused together: only the first of them halves the pace.
        """
        if sent.cuts < self.cuts:
            return self
        return replace(self, level=max(1, self.level // 2), cuts=self.cuts + 1)

    def taken(self) -> "RateLimit":
        """After a request of which no document was refused."""
        return self if self.full else replace(self, level=self.level + 1)

    def __str__(self) -> str:
        requests = f"{self.requests:,} request{'s' if self.requests > 1 else ''}"
        return f"{requests} of {max(1, self.bytes // _KIB):,} KiB"


OnRateLimit = Callable[[RateLimit, str], None]

_TICK: Final = 0.1
"""Seconds after which a waiting thread looks whether the job stopped."""


class RateLimiter:
    """A pace that threads share.

    Attributes:
        pace: at this moment.

    Args:
        pace: to begin with, and to return to.
        stop: once it is set, every wait ends.
        on_pace: called with each new pace and the last 429 that lowered it.
    """

    def __init__(self, pace: RateLimit, stop: Event, on_pace: OnRateLimit | None = None) -> None:
        self.pace = pace
        self._stop = stop
        self._on_pace = on_pace
        self._in_flight = 0
        self._reason = ""
        self._changed = Condition()

    @contextmanager
    def request(self) -> Iterator[RateLimit]:
        """Wait for a place among the requests in flight, and hold it for the length of the block.

        Raises:
            Interrupted: where `stop` was set meanwhile.
        """
        with self._changed:
            while self._in_flight >= self.pace.requests:
                if self._stop.is_set():
                    raise Interrupted("The job was stopped; the old index is still served.")
                self._changed.wait(_TICK)
            self._in_flight += 1
            pace = self.pace
        try:
            yield pace
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def refused(self, sent: RateLimit, reason: str) -> None:
        """A request, or a document of one, that was sent at this pace was answered 429, for this reason."""
        with self._changed:
            self._reason = reason
            self._go_on_at(self.pace.refused(sent))

    def taken(self) -> None:
        """A request was answered, and no document of it with 429."""
        if self.pace.full:
            return
        with self._changed:
            self._go_on_at(self.pace.taken())

    def _go_on_at(self, pace: RateLimit) -> None:
        if pace == self.pace:
            return
        self.pace = pace
        self._changed.notify_all()
        if self._on_pace is not None:
            self._on_pace(pace, self._reason)
