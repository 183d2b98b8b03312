"""How fast Elasticsearch is written to: halved when it answers 429, and raised step by step as it accepts requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Condition, Event
from typing import Final, TypeAlias

from indexer.errors import Interrupted

__all__ = ["FULL", "UNLIMITED", "OnRateLimit", "RateLimit", "RateLimiter"]

FULL: Final = 64
"""The level at which nothing is held back. One step up is 1/64 of it, which is also the lowest level."""

_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Additive increase, multiplicative decrease, of both the requests in flight and their size.

    Attributes:
        max_requests: requests in flight at full level.
        max_bytes: bytes of a request at full level.
        level: the current level, from 1 to `FULL`.
        cuts: how often the level was halved.
    """

    max_requests: int
    max_bytes: int
    level: int = FULL
    cuts: int = 0

    @property
    def full(self) -> bool:
        """Whether nothing is held back."""
        return self.level == FULL

    @property
    def requests(self) -> int:
        """Requests that may be in flight, at least one."""
        return max(1, self.max_requests * self.level // FULL)

    @property
    def bytes(self) -> int:
        """Bytes that a request of several documents may have; a single document is sent whatever its size."""
        return max(1, self.max_bytes * self.level // FULL)

    def lowered(self, sent: "RateLimit") -> "RateLimit":
        """The limit after a 429 to a request that was sent under the limit `sent`.

        Requests that are in flight together are rejected together: only the first rejection halves the level.
        """
        if sent.cuts < self.cuts:
            return self
        return replace(self, level=max(1, self.level // 2), cuts=self.cuts + 1)

    def raised(self) -> "RateLimit":
        """The limit after a request that was accepted as a whole."""
        return self if self.full else replace(self, level=self.level + 1)

    def __str__(self) -> str:
        requests = f"{self.requests:,} request{'s' if self.requests > 1 else ''}"
        return f"{requests} of {max(1, self.bytes // _KIB):,} KiB"


UNLIMITED: Final = RateLimit(max_requests=64, max_bytes=100 * 1024 * 1024)
"""The most and the largest requests that the settings allow."""

OnRateLimit: TypeAlias = Callable[[RateLimit, str], None]
"""Called with each new limit and the reason of the last 429."""

_POLL: Final = 0.1
"""Seconds between two looks at `stop` while waiting."""


class RateLimiter:
    """A rate limit that threads share.

    Attributes:
        limit: the current limit.
        stop: once it is set, every wait ends.

    Args:
        limit: the limit to start with, and to return to.
        stop: see above.
        on_change: called with each new limit.
    """

    def __init__(
        self, limit: RateLimit = UNLIMITED, stop: Event | None = None, on_change: OnRateLimit | None = None
    ) -> None:
        self.limit = limit
        self.stop = stop or Event()
        self._on_change = on_change
        self._in_flight = 0
        self._reason = ""
        self._changed = Condition()

    @contextmanager
    def request(self) -> Iterator[RateLimit]:
        """Wait until one more request may be in flight, and count it for the length of the block.

        Raises:
            Interrupted: where `stop` was set while waiting.
        """
        with self._changed:
            while self._in_flight >= self.limit.requests:
                if self.stop.is_set():
                    raise Interrupted("The job was stopped; the old index is still served.")
                self._changed.wait(_POLL)
            self._in_flight += 1
            limit = self.limit
        try:
            yield limit
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def rejected(self, sent: RateLimit, reason: str) -> None:
        """Lower the limit: a request sent under `sent`, or a document of it, was answered 429."""
        with self._changed:
            self._reason = reason
            self._change(self.limit.lowered(sent))

    def accepted(self) -> None:
        """Raise the limit: a request was answered, and no document of it with 429."""
        if self.limit.full:
            return
        with self._changed:
            self._change(self.limit.raised())

    def _change(self, limit: RateLimit) -> None:
        if limit == self.limit:
            return
        self.limit = limit
        self._changed.notify_all()
        if self._on_change is not None:
            self._on_change(limit, self._reason)
