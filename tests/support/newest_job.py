"""Reads an alias' newest job from its document in the index of jobs, which is also the alias' lock."""

from typing import Any

from elasticsearch import Elasticsearch

from indexer.sandbox.process import wait_until

__all__ = ["holds_lock", "newest_job", "rows_done", "rows_read", "wait_for_lock", "wait_for_rows"]

TIMEOUT = 180.0
"""Seconds for a job to start, or to read some rows, on a busy machine."""


def newest_job(client: Elasticsearch, alias: str) -> dict[str, Any]:
    """The document in the test's own index of jobs; empty if there is none yet."""
    found = client.options(ignore_status=(404, 503)).get(
        index=f"{alias}_jobs", id=f"alias:{alias}"
    )  # 503: the index is being created
    source: dict[str, Any] = found.body.get("_source", {})
    return source


def holds_lock(client: Elasticsearch, alias: str, pid: int) -> bool:
    """Whether this process was the last to take the lock."""
    job = newest_job(client, alias)
    return bool(job) and bool(job["holder"]["pid"] == pid)


def wait_for_lock(client: Elasticsearch, alias: str, pid: int) -> None:
    """Wait until this process has taken the lock."""
    assert wait_until(lambda: holds_lock(client, alias, pid), TIMEOUT), newest_job(client, alias)


def rows_read(client: Elasticsearch, alias: str) -> int:
    """Rows that the last checkpoint counts as read; 0 if there is none."""
    return sum(part["read"] for part in newest_job(client, alias).get("slices", []))


def rows_done(client: Elasticsearch, alias: str, pid: int) -> int:
    """As `rows_read`, if the job is run by this process; else 0."""
    job = newest_job(client, alias)
    is_running = job and job["holder"]["pid"] == pid and job["status"] == "running"
    return sum(part["read"] for part in job["slices"]) if is_running else 0


def wait_for_rows(client: Elasticsearch, alias: str, pid: int, below: int) -> None:
    """Wait until a checkpoint of this process counts some rows as read, but fewer than `below`."""
    assert wait_until(lambda: 0 < rows_done(client, alias, pid) < below, TIMEOUT), newest_job(client, alias)
