"""The cache folder: the one place outside the working directory where this product writes.

It is, in this order,

1. `INDEXER_CACHE`, if that is set;
2. for root, the machine's cache folder (`/var/cache/log-search-indexer` on Linux): local servers refuse to run as root,
   and the account that they run as (`nobody`) cannot enter root's home;
3. the user's cache folder (`~/.cache/log-search-indexer` on Linux).

`jobs/` holds the reports and dead letters of jobs; the rest belongs to local servers (`indexer.sandbox.cache`).
"""

import os
from pathlib import Path
from typing import Final

from platformdirs import site_cache_path, user_cache_path

from indexer.errors import UsageError
from indexer.version import NAME

__all__ = ["JOBS", "VARIABLE", "cache_folder", "job_folder"]

VARIABLE: Final = "INDEXER_CACHE"
"""The environment variable that names another folder."""

JOBS: Final = "jobs"
"""The subfolder of jobs, closed to other users: dead letters contain rows of the source."""


def cache_folder() -> Path:
    """The cache folder, created if it is missing.

    Raises:
        UsageError: if it cannot be created or is not writable.
    """
    return _created(_cache_path())


def job_folder(job: str) -> Path:
    """The folder of a job's report and dead letters, created if it is missing.

    Raises:
        UsageError: if it cannot be created or is not writable.
    """
    jobs = _created(cache_folder() / JOBS, mode=0o770)
    return _created(jobs / job)


def _cache_path() -> Path:
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser().resolve()
    path = site_cache_path if os.geteuid() == 0 else user_cache_path
    return path(NAME, appauthor=False)


def _created(folder: Path, mode: int = 0o777) -> Path:
    """Create a folder with its parents.

    Args:
        folder: the folder.
        mode: its permissions if it is new, less those that the umask removes.
    """
    try:
        folder.mkdir(mode, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK):
        raise _not_writable(folder, "Permission denied")
    return folder


def _not_writable(folder: Path, reason: str) -> UsageError:
    return UsageError(f"The cache folder {folder} is not writable ({reason}); set {VARIABLE} to a folder that is.")
