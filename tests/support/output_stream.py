"""The output of a running command, read while it is printed, from a pipe or a terminal."""

import os
import re
import select
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Stream", "terminal"]

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")

_CHUNK = 65_536


class Stream:
    """The reading end; it must be read, or a command with much output blocks for ever.

    Args:
        fd: the file descriptor to read from.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._read = b""
        self._searched = 0

    @property
    def raw(self) -> str:
        """All output so far, with the terminal's control codes."""
        return self._read.decode(errors="replace")

    @property
    def text(self) -> str:
        """All output so far, without control codes."""
        return _CONTROL.sub("", self.raw)

    def wait_for(self, pattern: str, timeout: float = 60.0) -> re.Match[str]:
        """Read until the text after the last match matches; fails with all output if it never does."""
        deadline = time.monotonic() + timeout
        while not (match := re.compile(pattern).search(self.text, self._searched)):
            assert self._more(deadline), f"no {pattern!r} in {self.text!r}"
        self._searched = match.end()
        return match

    def rest(self, timeout: float = 60.0) -> None:
        """Read until the command has closed its end."""
        deadline = time.monotonic() + timeout
        while self._more(deadline):
            pass
        assert time.monotonic() < deadline, f"no end after {self.text!r}"

    def _more(self, deadline: float) -> bool:
        """Whether there was more output before the deadline and before the end."""
        seconds = deadline - time.monotonic()
        ready = seconds > 0 and select.select([self._fd], [], [], seconds)[0]
        try:
            chunk = os.read(self._fd, _CHUNK) if ready else b""
        except OSError:  # the end of a terminal, on Linux
            chunk = b""
        self._read += chunk
        return bool(chunk)


@contextmanager
def terminal(columns: int = 80, lines: int = 24) -> Iterator[tuple[Stream, int]]:
    """A terminal: its output, and the file descriptor for a command, which the caller closes after the start."""
    screen, keyboard = os.openpty()
    termios.tcsetwinsize(keyboard, (lines, columns))
    try:
        yield Stream(screen), keyboard
    finally:
        os.close(screen)
