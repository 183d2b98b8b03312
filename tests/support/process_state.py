"""Whether a process runs that is none of ours to wait for."""

import psutil

__all__ = ["runs"]


def runs(process: psutil.Process) -> bool:
    """Whether it does; a zombie is one that its parent, which is none of ours, has not reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it was reaped between the two
        return False
