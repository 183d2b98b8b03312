"""The newest job of an alias as its document tells, which is also the alias' lock."""

from typing import Any

from elasticsearch import Elasticsearch

from indexer.sandbox.process import wait_until

__all__ = ["holds_lock", "newest_job", "rows_done", "rows_read", "wait_for_lock", "wait_for_rows"]

PATIENCE = 180.0
"""Seconds for a job to begin, or to read some rows, on a machine that does much else."""


def newest_job(client: Elasticsearch, alias: str) -> dict[str, Any]:
    """Its document in the index of jobs that the test has to itself; empty where there is none yet."""
    found = client.options(ignore_status=(404, 503)).get(index=f"{alias}_jobs", id=f"alias:{alias}")  # 503: just made
    source: dict[str, Any] = found.body.get("_source", {})
    return source


def holds_lock(client: Elasticsearch, alias: str, pid: int) -> bool:
    """Whether this process is the last that took the lock."""
    job = newest_job(client, alias)
    return bool(job) and bool(job["holder"]["pid"] == pid)


def wait_for_lock(client: Elasticsearch, alias: str, pid: int) -> None:
    """Wait until this process has taken the lock."""
    assert wait_until(lambda: holds_lock(client, alias, pid), PATIENCE), newest_job(client, alias)


def rows_read(client: Elasticsearch, alias: str) -> int:
    """Rows that the last checkpoint counts as done; 0 where there is none."""
    return sum(part["read"] for part in newest_job(client, alias).get("slices", []))


def rows_done(client: Elasticsearch, alias: str, pid: int) -> int:
    """The same, where this process is the one that runs; else 0."""
    job = newest_job(client, alias)
    ours = job and job["holder"]["pid"] == pid and job["status"] == "running"
    return sum(part["read"] for part in job["slices"]) if ours else 0


def wait_for_rows(client: Elasticsearch, alias: str, pid: int, below: int) -> None:
    """Wait until a checkpoint of this process counts some rows as done, and fewer than `below`."""
    assert wait_until(lambda: 0 < rows_done(client, alias, pid) < below, PATIENCE), newest_job(client, alias)
