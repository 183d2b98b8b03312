"""What the sandbox keeps in the cache folder: distributions, server data, the registry of running servers, locks."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from indexer.cache_folder import JOBS, VARIABLE, cache_folder
from indexer.errors import UsageError
from indexer.sandbox.process import server_account

__all__ = [
    "DISTRIBUTIONS",
    "FETCH_LOCK",
    "JAVA",
    "REGISTRY",
    "SAMPLES",
    "SERVERS",
    "UP_LOCK",
    "clear_cache",
    "file_lock",
    "open_folder",
    "open_tree",
    "server_cache",
]

DISTRIBUTIONS: Final = "elasticsearch"
JAVA: Final = "java"
SERVERS: Final = "servers"
REGISTRY: Final = "running.json"
SAMPLES: Final = "samples.sqlite"
FETCH_LOCK: Final = "fetch.lock"
UP_LOCK: Final = "up.lock"
CONTENTS: Final = (JOBS, DISTRIBUTIONS, JAVA, SERVERS, REGISTRY, SAMPLES, FETCH_LOCK, UP_LOCK)
"""Everything that this product creates in the cache folder, and all that `clear_cache` removes."""


def server_cache() -> Path:
    """The cache folder, open to the account that servers run as.

    Raises:
        UsageError: if it is not writable, or if that account cannot enter INDEXER_CACHE.
    """
    folder = cache_folder()
    account = server_account()
    if account is None:
        return folder
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o755)
    if not account.can_enter(folder):
        raise UsageError(
            f"The cache folder {folder} is closed to {account.name}, the account that servers run as when root starts"
            f" them; set {VARIABLE} to a folder that everyone can enter, or unset it."
        )
    return folder


def open_folder(folder: Path) -> Path:
    """Create a folder that everyone can enter, whatever the umask is; its parent must exist."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


def open_tree(folder: Path) -> None:
    """Let everyone read the files in a folder, and run those that their owner can run, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


@contextmanager
def file_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold one of the folder's locks, so that two commands never download or start the same thing together."""
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear_cache() -> None:
    """Remove everything that this product created in the cache folder, and the folder itself once it is empty."""
    folder = cache_folder()
    for name in CONTENTS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # other files are in it
        folder.rmdir()
