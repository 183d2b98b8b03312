"""Recognises a process of this machine by more than its pid, which the system gives to another process later.

A pid is unique only within one boot and one pid namespace, and only while its process runs. Two containers on one
host, or two hosts with one name, have the same pids. A process is therefore identified by

1. its place: the id of the machine's boot and the pid namespace;
2. its pid;
3. its start time, in clock ticks since the boot.

All of this comes from /proc. psutil would read pid and start time, but knows neither boot nor namespace, and would be
one more compiled dependency. Where there is no /proc, nothing is known of any process, and both `is_alive` and
`is_dead` are false.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

__all__ = ["ProcessIdentity"]

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")

_ENDED: Final = ("Z", "X")
"""States of a process that ended, but whose parent has not reaped it yet (proc(5): zombie, dead)."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Which process this is, also for another program that reads it later.

    Attributes:
        pid: the process id.
        started: when it started, in clock ticks since the boot; 0 if unknown.
        place: where its pid is valid: boot id and pid namespace; empty if unknown.
    """

    pid: int
    started: int
    place: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has this pid now; `started` is 0 if there is none."""
        return cls(pid, _state(pid)[1], _place())

    def is_alive(self) -> bool:
        """Whether this process is known to run; a zombie does not."""
        state, started = _state(self.pid)
        return self._is_local() and started == self.started and state not in _ENDED

    def is_dead(self) -> bool:
        """Whether this process is known to have ended: nobody has its pid, or a zombie or another process has."""
        if not self._is_local():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # another user's process has the pid: its start time says whether it is this one
        state, started = _state(self.pid)
        return state in _ENDED if started == self.started else bool(started)

    def _is_local(self) -> bool:
        """Whether this program sees the same pids; without a start time, it could not tell two processes apart."""
        return bool(self.started and self.place) and self.place == _place()


def _place() -> str:
    with suppress(OSError):
        return f"{_BOOT_ID.read_text('ascii').strip()} {_PID_NAMESPACE.readlink()}"
    return ""


def _state(pid: int) -> tuple[str, int]:
    """The state letter and the start time of a process; ("", 0) if it cannot be read."""
    with suppress(OSError, ValueError, IndexError):
        # The fields follow the program's name, which is in parentheses and may itself contain any character.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return "", 0
