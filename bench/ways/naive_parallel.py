"""The usual way with threads: a `crate` cursor and `helpers.parallel_bulk`; one thread reads, two encode and send."""

from typing import Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

from bench.meter import Meter
from bench.run import Run, Task, answer
from bench.ways.naive_rows import actions
from indexer.pipeline.memory import peak_rss

__all__ = ["CHUNK", "THREADS", "run"]

CHUNK: Final = 5_000
"""Documents a request, about as many as fill one of `reindex`; the helper's default is 500."""

THREADS: Final = 2
"""Requests in flight, as `reindex` has by default."""


def run(task: Task) -> Run:
    """Move the table."""
    meter = Meter(task.source, task.target)
    with Elasticsearch(task.target, request_timeout=120) as client, meter:
        results = parallel_bulk(client, actions(task), thread_count=THREADS, chunk_size=CHUNK, queue_size=THREADS)
        done = sum(ok for ok, _ in results)
    return Run(task.way, done, meter.spent, peak_rss())


if __name__ == "__main__":
    answer(run)
