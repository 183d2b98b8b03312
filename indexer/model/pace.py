"""How hard Elasticsearch is pressed: halved where it answers 429, and grown by a step with each request it takes."""

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["FULL", "Pace"]

FULL: Final = 64
"""The level of full pace, so that one step is a sixty-fourth of it, and the least that is ever tried too."""

_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Pace:
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

    def refused(self, sent: "Pace") -> "Pace":
        """After a 429 to a request that was sent at the pace `sent`.

        Requests that were in flight together are refused together: only the first of them halves the pace.
        """
        if sent.cuts < self.cuts:
            return self
        return replace(self, level=max(1, self.level // 2), cuts=self.cuts + 1)

    def taken(self) -> "Pace":
        """After a request of which no document was refused."""
        return self if self.full else replace(self, level=self.level + 1)

    def __str__(self) -> str:
        requests = f"{self.requests:,} request{'s' if self.requests > 1 else ''}"
        return f"{requests} of {max(1, self.bytes // _KIB):,} KiB"
