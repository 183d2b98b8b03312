"""The usual way: a `crate` cursor and `helpers.bulk`, which sends each request in turn and waits for it."""

from typing import Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from bench.meter import Meter
from bench.run import Run, Task, answer
from bench.ways.naive_rows import actions
from indexer.job.memory import peak_rss

__all__ = ["CHUNK", "run"]

CHUNK: Final = 5_000
"""Documents a request: the helper's default of 500 is slower."""


def run(task: Task) -> Run:
    """Move the table."""
    meter = Meter(task.source, task.target)
    with Elasticsearch(task.target, request_timeout=120) as client, meter:
        done, _ = bulk(client, actions(task), chunk_size=CHUNK, stats_only=True)
    return Run(task.way, done, meter.spent, peak_rss())


if __name__ == "__main__":
    answer(run)
