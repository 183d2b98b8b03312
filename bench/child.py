"""Child processes, measured from outside: what they printed, how long they lived, what they used."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from indexer.errors import IndexerError

__all__ = ["TAIL", "ChildFailed", "Finished", "console_script", "finish"]

TAIL: Final = 3000
"""Characters of a failed program's errors that are shown."""


_SHORT: Final = 160
"""Characters of that which a table shows."""


class ChildFailed(IndexerError):
    """A program that was to be measured did not end well."""

    @property
    def short(self) -> str:
        """Its last line that is none of a stack."""
        lines = [line for line in str(self).strip().splitlines() if line.strip() and not line[0].isspace()]
        return lines[-1][:_SHORT]


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended with 0.

    Attributes:
        output: what it printed to its standard output; nothing where that went elsewhere.
        seconds: from its start to its end.
        cpu: CPU seconds, user and system, all threads.
        peak_rss: the most memory it held, in bytes; on Linux at least what this program held when it started it.
    """

    output: bytes
    seconds: float
    cpu: float
    peak_rss: int


def finish(command: Sequence[str | Path], output: int = subprocess.PIPE) -> Finished:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        output: the file descriptor that it prints to, if that is not to be collected.

    Raises:
        ChildFailed: where it ends in anything but 0, with the end of its errors.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors)
        with process:
            printed = process.stdout.read() if process.stdout else b""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if process.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-TAIL:]
            raise ChildFailed(f"{' '.join(map(str, command))} ended in {process.returncode}:\n{tail}")
    return Finished(printed, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def console_script(name: str) -> Path:
    """The script that was installed beside this Python.

    Raises:
        ChildFailed: where there is none.
    """
    script = Path(sys.executable).parent / name
    if not script.is_file():
        raise ChildFailed(f"{name} is not installed beside {sys.executable}: pip install -e '.[bench]'.")
    return script
