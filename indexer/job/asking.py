"""Asking a server again while it is away, for as long as patience lasts."""

from collections.abc import Callable
from threading import Event
from typing import TypeVar

from indexer.errors import BreakerTripped, Interrupted, ShardsAway, SourceUnavailable, TargetUnavailable
from indexer.model.patience import Patience
from indexer.model.progress import Counters

__all__ = ["asked"]

Answer = TypeVar("Answer")


def asked(question: Callable[[], Answer], patience: Patience, stop: Event, counters: Counters) -> Answer:
    """Ask until there is an answer, or patience ends. The question may reach the server more than once.

    Raises:
        ShardsAway: at once, for it voids more than this answer.
        SourceUnavailable, BreakerTripped, TargetUnavailable: where patience ended.
        Interrupted: where the job was stopped.
    """
    while True:
        try:
            answer = question()
        except ShardsAway:
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
