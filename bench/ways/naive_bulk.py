"""The naive way: a `crate` cursor and `helpers.bulk`, which sends each request in turn and waits for it."""

from typing import Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from bench.meter import Meter
from bench.run import Run, Task, Way, answer
from bench.ways.naive_rows import actions
from indexer.pipeline.memory import peak_rss

__all__ = ["CHUNK", "run"]

CHUNK: Final = {Way.BULK: 500, Way.TUNED: 5_000, Way.OFFSET_BULK: 5_000}
"""Documents a request: the helper's default, and about as many as fill one of `reindex`."""


def run(task: Task) -> Run:
    """Move the table."""
    meter = Meter(task.source, task.target)
    with Elasticsearch(task.target, request_timeout=120) as client, meter:
        done, _ = bulk(client, actions(task), stats_only=True, chunk_size=CHUNK[task.way])
    return Run(task.way, done, meter.spent, peak_rss())


if __name__ == "__main__":
    answer(run)
