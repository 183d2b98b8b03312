"""The most memory that a process held, looked at from outside for as long as it lives."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PeakRss"]

_PAUSE = 0.02
"""Seconds between two looks: Linux keeps the peak, so only what the process takes in its last moment is missed."""


class PeakRss:
    """Watches one process inside `with`.

    Attributes:
        bytes: Linux' `VmHWM` of the process; 0 where there is none to read.
    """

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._ended.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        try:
            status = self._status.read_text("ascii", errors="replace")
        except OSError:  # it has ended
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.bytes = int(line.split()[1]) * 1024

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
