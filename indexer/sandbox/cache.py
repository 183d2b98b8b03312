"""The cache folder: the one place outside the working directory where anything is written.

It is INDEXER_CACHE, else the user's cache folder. Root's own is closed to the account that the servers run as, so that
root falls back to the machine's (`/var/cache/log-search-indexer` on Linux).
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from platformdirs import site_cache_path, user_cache_path

from indexer.errors import UsageError
from indexer.sandbox.process import server_account
from indexer.version import NAME

__all__ = [
    "DISTRIBUTIONS",
    "FETCH_LOCK",
    "JAVA",
    "REGISTRY",
    "SAMPLES",
    "SERVERS",
    "UP_LOCK",
    "cache_folder",
    "clear_cache",
    "file_lock",
    "open_folder",
    "open_tree",
]

APPLICATION: Final = NAME

DISTRIBUTIONS: Final = "elasticsearch"
JAVA: Final = "java"
SERVERS: Final = "servers"
REGISTRY: Final = "running.json"
SAMPLES: Final = "samples.sqlite"
FETCH_LOCK: Final = "fetch.lock"
UP_LOCK: Final = "up.lock"
JOBS: Final = "jobs"
"""The reports and dead letters of jobs, which `indexer.job.dead_letters` puts into the user's own cache folder."""
CONTENTS: Final = (JOBS, DISTRIBUTIONS, JAVA, SERVERS, REGISTRY, SAMPLES, FETCH_LOCK, UP_LOCK)
"""Everything that this product puts there, and all that `clear_cache` removes."""


def cache_folder() -> Path:
    """The cache folder, made where it is missing, open to the account that the servers run as.

    Raises:
        UsageError: where it cannot be written, or where INDEXER_CACHE is closed to that account.
    """
    folder = _chosen()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.geteuid():
            folder.chmod(0o755)
    except OSError as error:
        raise UsageError(
            f"The cache folder {folder} cannot be written ({error.strerror}): set INDEXER_CACHE to one that can."
        ) from error
    account = server_account()
    if account is not None and not account.can_enter(folder):
        raise UsageError(
            f"The cache folder {folder} cannot be entered by {account.name}, as whom root's servers run: "
            f"set INDEXER_CACHE to a folder that everybody can enter, such as {_site()}."
        )
    return folder


def _chosen() -> Path:
    given = os.environ.get("INDEXER_CACHE")
    if given:
        return Path(given).expanduser().resolve()
    own = user_cache_path(APPLICATION, appauthor=False)
    account = server_account()
    return own if account is None or account.can_enter(own) else _site()


def _site() -> Path:
    return site_cache_path(APPLICATION, appauthor=False)


def open_folder(folder: Path) -> Path:
    """Make a folder in an open one that everybody can enter, whatever the umask is."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


def open_tree(folder: Path) -> None:
    """Let everybody read what is in a folder, and run what its owner can run, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


@contextmanager
def file_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold one of the folder's locks, so that two commands do not fetch or start the same thing at once."""
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear_cache() -> None:
    """Remove what this product put into the cache folder, and the folder once it is empty."""
    own = () if os.environ.get("INDEXER_CACHE") else (user_cache_path(APPLICATION, appauthor=False),)
    for folder in {_chosen(), *own}:
        _clear(folder)


def _clear(folder: Path) -> None:
    for name in CONTENTS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # absent, or somebody else's files are in it
        folder.rmdir()
