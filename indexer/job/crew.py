"""The threads of a load: started together, stopped together, and their first error raised where they were started."""

import threading
import time
from collections.abc import Callable
from typing import Final

from indexer.errors import Interrupted

__all__ = ["Crew"]

_GRACE: Final = 5.0
"""Seconds that a stopped thread gets for the request it is in; it is a daemon, so it never keeps the process alive."""


class Crew:
    """Threads that work on one thing.

    Attributes:
        stop: set when one of them failed, or the user interrupted; every wait in the job watches it.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Start one thread."""
        thread = threading.Thread(target=self._guard, args=(work,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # raised again in `join`, in the thread that waits
            self._errors.append(error)
            self.stop.set()

    def join(self, threads: list[threading.Thread]) -> None:
        """Wait for these threads to end.

        Raises:
            Interrupted: on Ctrl-C or a signal, once the threads stopped.
            BaseException: the first error of any thread, once all of them stopped.
        """
        try:
            while any(thread.is_alive() for thread in threads) and not self.stop.is_set():
                for thread in threads:
                    thread.join(timeout=0.05)
        except KeyboardInterrupt:
            self.stop.set()
            self._settle()
            raise Interrupted("Interrupted: the alias was not moved; run the same command again to go on.") from None
        if self.stop.is_set():
            self._settle()
            raise next((e for e in self._errors if not isinstance(e, Interrupted)), self._errors[0])

    def _settle(self) -> None:
        until = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))
