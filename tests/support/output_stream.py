"""What a running command prints, read as it comes: from a pipe, or from the terminal that it was started on."""

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
    """The reading end. Someone has to read on, or a command that has much to say waits for ever.

    Args:
        fd: the file descriptor to read.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._read = b""
        self._seen = 0

    @property
    def raw(self) -> str:
        """Everything that was read, with the codes that control a terminal."""
        return self._read.decode(errors="replace")

    @property
    def text(self) -> str:
        """Everything that was read, without them."""
        return _CONTROL.sub("", self.raw)

    def wait_for(self, pattern: str, timeout: float = 60.0) -> re.Match[str]:
        """Read until the text after what was found last matches; fails with all that was read where it never does."""
        deadline = time.monotonic() + timeout
        while not (found := re.compile(pattern).search(self.text, self._seen)):
            assert self._more(deadline), f"no {pattern!r} in {self.text!r}"
        self._seen = found.end()
        return found

    def rest(self, timeout: float = 60.0) -> None:
        """Read to the end: until the command has closed its side."""
        deadline = time.monotonic() + timeout
        while self._more(deadline):
            pass
        assert time.monotonic() < deadline, f"no end after {self.text!r}"

    def _more(self, deadline: float) -> bool:
        """Whether something came before the deadline and before the end."""
        left = deadline - time.monotonic()
        ready = left > 0 and select.select([self._fd], [], [], left)[0]
        try:
            chunk = os.read(self._fd, _CHUNK) if ready else b""
        except OSError:  # so Linux tells the end of a terminal
            chunk = b""
        self._read += chunk
        return bool(chunk)


@contextmanager
def terminal(columns: int = 80, lines: int = 24) -> Iterator[tuple[Stream, int]]:
    """A terminal: its screen, and the file descriptor for a command, to be closed once the command has it."""
    screen, keyboard = os.openpty()
    termios.tcsetwinsize(keyboard, (lines, columns))
    try:
        yield Stream(screen), keyboard
    finally:
        os.close(screen)
