"""The state of a process that is not a child of this one."""

import psutil

__all__ = ["is_running"]


def is_running(process: psutil.Process) -> bool:
    """Whether a process runs; a zombie, which its parent has not reaped yet, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it was reaped between the two calls
        return False
