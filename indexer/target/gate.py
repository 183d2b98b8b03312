"""The gate that bulk requests pass: it lets as many through at once as Elasticsearch takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event
from typing import Final

from indexer.errors import Interrupted
from indexer.model.pace import Pace

__all__ = ["Gate", "OnPace"]

OnPace = Callable[[Pace, str], None]

_TICK: Final = 0.1
"""Seconds after which a waiting thread looks whether the job stopped."""


class Gate:
    """A pace that threads share.

    Attributes:
        pace: at this moment.

    Args:
        pace: to begin with, and to return to.
        stop: once it is set, every wait ends.
        on_pace: called with each new pace and the last 429 that lowered it.
    """

    def __init__(self, pace: Pace, stop: Event, on_pace: OnPace | None = None) -> None:
        self.pace = pace
        self._stop = stop
        self._on_pace = on_pace
        self._in_flight = 0
        self._reason = ""
        self._changed = Condition()

    @contextmanager
    def request(self) -> Iterator[Pace]:
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

    def refused(self, sent: Pace, reason: str) -> None:
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

    def _go_on_at(self, pace: Pace) -> None:
        if pace == self.pace:
            return
        self.pace = pace
        self._changed.notify_all()
        if self._on_pace is not None:
            self._on_pace(pace, self._reason)
