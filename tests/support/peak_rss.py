"""Measures the peak memory of another process.

The peak is Linux' `VmHWM`, which psutil does not report: its `memory_info().rss` is the present size, so a short peak
between two looks would be missed.
"""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PeakRss"]

_PAUSE = 0.02
"""Seconds between two looks: Linux keeps the peak, so only growth after the last look is missed."""


class PeakRss:
    """Watches one process inside `with`.

    Attributes:
        bytes: the peak resident memory so far; 0 if it cannot be read.
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
