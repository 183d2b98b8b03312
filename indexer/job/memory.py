"""The memory of this process."""

import resource
from pathlib import Path

__all__ = ["peak_rss"]


def peak_rss() -> int:
    """The most memory that this process held, in bytes.

    Linux' own `VmHWM`: `ru_maxrss` keeps, over fork and exec, the peak of the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
