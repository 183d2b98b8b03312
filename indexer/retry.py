"""Retries: how long a failing request is repeated, with which pauses, and how a wait is reported.

    retrier = Retrier(RetryPolicy(seconds=300), stop, on_wait=show)
    rows = retrier.call(lambda: source.bounds(selection))

Whether an error is retryable is a property of its class (`indexer.errors`). `Retrier.call` retries one operation;
where a retry differs from the first try (a smaller page, part of a batch), the loop lets `Attempts` wait.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import Final, TypeVar

from indexer.errors import (
    BreakerTripped,
    IndexerError,
    Interrupted,
    ResponseTooLarge,
    ShardsUnavailable,
    SourceUnavailable,
    TargetBusy,
    TargetUnavailable,
)

__all__ = ["Attempts", "OnWait", "Retrier", "RetryPolicy", "ignore_wait"]

OnWait = Callable[[str, float], None]
"""Called before each wait with its reason and its seconds, which are 0 where the next try follows at once."""

Result = TypeVar("Result")

_DOUBLINGS: Final = 16
"""Doublings of the first pause after which it has long been cut to the longest: an outage may last for days."""


def ignore_wait(_reason: str, _seconds: float) -> None:
    """An `OnWait` that does nothing."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a request is retried, and the pauses between the tries: each twice as long as the one before.

    Attributes:
        seconds: how long a request may go on failing (`--patience`).
        first_pause: seconds after the first failure, at most.
        longest_pause: seconds beyond which pauses grow no longer.
        jitter: the share of a pause that is random, so that threads which failed together do not return together.
    """

    seconds: float = 300.0
    first_pause: float = 0.2
    longest_pause: float = 15.0
    jitter: float = 0.5

    def pause(self, tries: int) -> float:
        """Seconds to pause after so many tries that failed before this one."""
        longest = min(self.longest_pause, self.first_pause * 2 ** min(tries, _DOUBLINGS))
        return random.uniform(longest * (1 - self.jitter), longest)  # noqa: S311  # jitter is no secret

    def every(self, seconds: float) -> "RetryPolicy":
        """The same time in all, with a try every so many seconds."""
        return replace(self, first_pause=seconds, longest_pause=seconds, jitter=0.0)


class Retrier:
    """Retries operations by one policy. Threads may share it.

    Args:
        policy: how long, with which pauses.
        stop: set when the job ends early: every pause ends at once.
        on_wait: called before each pause, by the thread that waits.
        on_success: called after an operation that `call` ran has succeeded, by its thread.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        stop: Event | None = None,
        *,
        on_wait: OnWait = ignore_wait,
        on_success: Callable[[], None] = lambda: None,
    ) -> None:
        self.policy = policy or RetryPolicy()
        self.stop = stop or Event()
        self.on_wait = on_wait
        self._on_success = on_success

    def attempts(self) -> "Attempts":
        """The tries of one operation, which none was made of yet."""
        return Attempts(self)

    def call(self, operation: Callable[[], Result]) -> Result:
        """Run an operation until it succeeds or its time is up. It may reach the server more than once.

        Raises:
            ShardsUnavailable: at once, because it voids more than this answer.
            SourceUnavailable, BreakerTripped, TargetUnavailable: once the policy's time is up.
            Interrupted: where the job was stopped.
        """
        attempts = self.attempts()
        while True:
            try:
                result = operation()
            except ShardsUnavailable:
                raise
            except (SourceUnavailable, BreakerTripped, TargetUnavailable) as error:
                attempts.wait(error)
            else:
                self._on_success()
                return result

    def check(self) -> None:
        """Do nothing, unless the job was stopped.

        Raises:
            Interrupted: where it was.
        """
        if self.stop.is_set():
            raise Interrupted("The job was stopped; the old index is still served.")


class Attempts:
    """The tries of one operation, or of one thread's operations: when they began to fail, and how often they did.

    Args:
        retrier: the policy, and whom a wait is reported to.
    """

    def __init__(self, retrier: Retrier) -> None:
        self._retrier = retrier
        self._failing_since: float | None = None
        self._tries = 0

    def reset(self) -> None:
        """The operation succeeded: the next failure counts as the first."""
        self._failing_since = None
        self._tries = 0

    def wait(self, error: IndexerError) -> None:
        """Report why, and pause before the next try.

        Raises:
            IndexerError: the error itself, once the policy's time is up.
            Interrupted: where the job was stopped.
        """
        policy, now = self._retrier.policy, time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        remaining = policy.seconds - (now - self._failing_since)
        if remaining < 0:
            raise error
        seconds = policy.pause(self._tries)
        self._tries += 1
        self._retrier.on_wait(f"{_trouble(error)}; retrying for up to {policy.seconds:g} s", seconds)
        if self._retrier.stop.wait(seconds):
            raise Interrupted("The job was stopped; the old index is still served.") from error

    def shrink_or_wait(self, error: IndexerError, shrink: Callable[[], bool]) -> None:
        """Make the next try at once, but for less, where the response was too large; else pause as `wait` does.

        Args:
            error: why the last try failed.
            shrink: asks for less the next time; False where that is not possible.

        Raises:
            IndexerError, Interrupted: as `wait`.
        """
        if not isinstance(error, ResponseTooLarge) or not shrink():
            self.wait(error)
            return
        cause = "the source's circuit breaker tripped" if isinstance(error, BreakerTripped) else "rows exceed --memory"
        self._retrier.on_wait(f"{cause}; retrying with fewer rows a page", 0.0)


def _trouble(error: IndexerError) -> str:
    """What is wrong, and with which side, in a few words."""
    reason = error.reason or str(error).rstrip(".")
    match error:
        case ShardsUnavailable():
            return reason
        case SourceUnavailable():
            return f"the source is unavailable ({reason})"
        case BreakerTripped():
            return f"the source is short of memory ({reason})"
        case TargetBusy():
            return f"Elasticsearch is busy ({reason})"
        case TargetUnavailable():
            return f"Elasticsearch is unavailable ({reason})"
        case _:
            return reason
