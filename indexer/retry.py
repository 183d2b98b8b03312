"""How long a failed request is asked again: growing pauses with jitter, and an end."""

import random
import time
from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar

from indexer.errors import BreakerTripped, Interrupted, ShardsUnavailable, SourceUnavailable, TargetUnavailable
from indexer.model.job.progress import Counters

__all__ = ["RetryPolicy", "with_retry"]

_FIRST: Final = 0.2
_LONGEST: Final = 15.0


class RetryPolicy:
    """The pauses between the tries of one request; `calm()` once it succeeded.

    Attributes:
        seconds: how long in all a request may go on failing.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: float | None = None
        self._tries = 0

    def pause(self) -> float | None:
        """Seconds to wait before the next try; None where patience is at its end."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self.seconds:
            return None
        longest = min(_LONGEST, _FIRST * 2**self._tries)
        self._tries += 1
        return random.uniform(longest / 2, longest)  # noqa: S311  # jitter is no secret

    def calm(self) -> None:
        """The request succeeded: the next failure begins anew."""
        self._since = None
        self._tries = 0


Result = TypeVar("Result")


def with_retry(call: Callable[[], Result], patience: RetryPolicy, stop: Event, counters: Counters) -> Result:
    """Ask until there is an answer, or patience ends. The question may reach the server more than once.

    Raises:
        ShardsUnavailable: at once, for it voids more than this answer.
        SourceUnavailable, BreakerTripped, TargetUnavailable: where patience ended.
        Interrupted: where the job was stopped.
    """
    while True:
        try:
            answer = call()
        except ShardsUnavailable:
            raise
        except (SourceUnavailable, BreakerTripped, TargetUnavailable) as failure:
            pause = patience.pause()
            if pause is None:
                raise
            counters.retried()
            counters.wait(str(failure))
            if stop.wait(pause):
                raise Interrupted("The job was stopped.") from failure
        else:
            patience.calm()
            counters.go_on()
            return answer
