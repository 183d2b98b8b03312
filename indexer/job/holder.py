"""The process that holds a lock: how this one is known, and when another is known to be dead."""

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from indexer.model.job import Holder

__all__ = ["is_dead", "this_process"]

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE: Final = Path("/proc/self/ns/pid")
_GONE: Final = "ZX"
"""States of a process that runs no more, though its parent has not heard of it yet."""


def this_process() -> Holder:
    """This process as the holder of a lock, which is another one with each call."""
    _, started = _state(os.getpid())
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return Holder(socket.gethostname(), os.getpid(), since, token_hex(8), _place(), started)


def is_dead(holder: Holder) -> bool:
    """Whether the holder is known to be dead; False where this process cannot know.

    Names of machines and numbers of processes prove nothing: containers share them. Only the same boot of a machine
    and the same namespace do, where no process has the number any more, or one that started at another time.
    """
    if not holder.place or holder.place != _place():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is another user's, and may still be told from the holder
    state, started = _state(holder.pid)
    return state in _GONE if started == holder.started else bool(started)


def _place() -> str:
    """Where numbers of processes mean the same; empty on a system that does not tell."""
    with suppress(OSError):
        return f"{_BOOT.read_text('ascii').strip()} {_NAMESPACE.readlink()}"
    return ""


def _state(pid: int) -> tuple[str, int]:
    """The state of a process and when it started; of one that cannot be seen, a space and 0."""
    with suppress(OSError, ValueError, IndexError):
        # Its name stands before them in parentheses, and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return " ", 0
