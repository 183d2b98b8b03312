"""The folder of a job, where its report and its dead letters are kept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from indexer.errors import FileError, Refused

__all__ = ["job_folder", "writing"]


def job_folder(job: str) -> Path:
    """The job's folder, made on the way: `jobs/<job>` in the cache folder, or in INDEXER_CACHE where that is set.

    Raises:
        Refused: where it cannot be made.
    """
    cache = os.environ.get("INDEXER_CACHE")
    folder = (Path(cache) if cache else user_cache_path("log-search-indexer")) / "jobs" / job
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"The folder {folder} cannot be made, {error.strerror}: set INDEXER_CACHE to one that you may write to."
        ) from error
    return folder


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """The path, which is written to here.

    Raises:
        FileError: where it cannot; the system names a file that it cannot open, but not one that it cannot write to.
    """
    try:
        yield path
    except OSError as error:
        raise FileError(str(path), error) from error
