"""Child processes, measured from outside: their output, wall time, CPU time and peak memory."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil

from indexer.errors import IndexerError

__all__ = ["ChildFailed", "ChildResult", "FamilyWatch", "console_script", "kill_family", "run_child", "run_family"]

_TAIL: Final = 3000
"""Characters of a failed program's standard error that its error shows."""

_SHORT: Final = 160
"""Characters of that which a table shows."""

_INTERVAL: Final = 0.1
"""Seconds between two looks at a family: a shorter peak is not seen."""


class ChildFailed(IndexerError):
    """A program that was to be measured failed."""

    @property
    def short(self) -> str:
        """The last line that is not part of a stack trace."""
        lines = [line for line in str(self).strip().splitlines() if line.strip() and not line[0].isspace()]
        return lines[-1][:_SHORT]


@dataclass(frozen=True, slots=True)
class ChildResult:
    """A program that ended with exit code 0.

    Attributes:
        output: its standard output; empty where that went elsewhere.
        seconds: wall time.
        cpu: CPU seconds, user and system, all threads.
        peak_rss: peak memory in bytes; on Linux at least what this process held when it started the child.
    """

    output: bytes
    seconds: float
    cpu: float
    peak_rss: int


def run_child(command: Sequence[str | Path], output: int = subprocess.PIPE) -> ChildResult:
    """Run a program to its end; CPU and memory are those of the process itself, as the kernel counts them.

    Args:
        command: the program and its arguments.
        output: the file descriptor that it prints to; by default, its output is collected.

    Raises:
        ChildFailed: where its exit code is not 0.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        with subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors) as process:
            printed = process.stdout.read() if process.stdout else b""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        _check(command, process.returncode, errors)
    return ChildResult(printed, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def run_family(command: Sequence[str]) -> ChildResult:
    """Run a program to its end, or kill it on Ctrl-C; CPU and memory are those of it and all that it starts.

    Raises:
        ChildFailed: where its exit code is not 0.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL) as process:
            try:
                watch = FamilyWatch(process.pid)
                while process.poll() is None:
                    watch.look()
                    time.sleep(_INTERVAL)
            except BaseException:  # Ctrl-C too
                kill_family(process)
                raise
        seconds = time.perf_counter() - began
        _check(command, process.returncode, errors)
        output.seek(0)
        return ChildResult(output.read(), seconds, watch.cpu, watch.peak)


class FamilyWatch:
    """Sums up CPU and memory over a process and its descendants.

    Args:
        root: the pid of the process.

    Attributes:
        peak: the most bytes that all of them held together at one look.
    """

    def __init__(self, root: int) -> None:
        self._root, self._cpu = psutil.Process(root), dict[int, float]()
        self.peak = 0

    @property
    def cpu(self) -> float:
        """CPU seconds of all of them, as each was last seen."""
        return sum(self._cpu.values())

    def look(self) -> None:
        """Add up what there is now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.peak = max(self.peak, sum(map(self._one, [self._root, *self._root.children(recursive=True)])))

    def _one(self, process: psutil.Process) -> int:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
            times = process.cpu_times()
            self._cpu[process.pid] = float(times.user + times.system)
            return int(process.memory_info().rss)
        return 0


def kill_family(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(process.pid)
        for one in (root, *root.children(recursive=True)):  # the root first: it may report how the others ended
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def console_script(name: str) -> Path:
    """The script that is installed beside this Python.

    Raises:
        ChildFailed: where there is none.
    """
    script = Path(sys.executable).parent / name
    if not script.is_file():
        raise ChildFailed(f"{name} is not installed beside {sys.executable}: pip install -e '.[bench]'.")
    return script


def _check(command: Sequence[str | Path], code: int, errors: IO[bytes]) -> None:
    if code:
        errors.seek(0)
        tail = errors.read().decode(errors="replace")[-_TAIL:]
        raise ChildFailed(f"{' '.join(map(str, command))} ended with exit code {code}:\n{tail}")
