"""The folder of a job, where its report and its dead letters are kept."""

import os
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["job_folder"]


def job_folder(job: str) -> Path:
    """The job's folder, made on the way: `jobs/<job>` in the cache folder, or in INDEXER_CACHE where that is set."""
    cache = os.environ.get("INDEXER_CACHE")
    folder = (Path(cache) if cache else user_cache_path("log-search-indexer")) / "jobs" / job
    folder.mkdir(parents=True, exist_ok=True)
    return folder
