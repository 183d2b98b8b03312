"""The usual way: a `crate` cursor and a helper of the Elasticsearch client.

`helpers.bulk` sends each request in turn and waits for it; with `helpers.parallel_bulk`, one thread reads while others
encode and send.
"""

from collections.abc import Iterator
from typing import Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk, parallel_bulk

from bench.competitors.crate_pages import keyset_pages, offset_pages
from bench.competitors.task import Competitor, Run, Task, answer
from bench.meter.meter import Meter
from indexer.pipeline.memory import peak_rss

__all__ = ["CHUNK", "THREADS", "run"]

CHUNK: Final = 5_000
"""Documents a request of the tuned ones: about as many as fill one of `reindex`."""

_DEFAULT_CHUNK: Final = 500
"""Documents a request by the helpers' default."""

THREADS: Final = 2
"""Requests in flight of `parallel_bulk`, as `reindex` has by default."""


def run(task: Task) -> Run:
    """Move the table."""
    meter = Meter(task.source, task.target)
    with Elasticsearch(task.target, request_timeout=120) as client, meter:
        done = (_parallel if task.competitor is Competitor.PARALLEL else _serial)(client, task)
    return Run(task.competitor, done, meter.usage, peak_rss())


def _serial(client: Elasticsearch, task: Task) -> int:
    chunk = _DEFAULT_CHUNK if task.competitor is Competitor.BULK else CHUNK
    done, _ = bulk(client, _actions(task), stats_only=True, chunk_size=chunk)
    return done


def _parallel(client: Elasticsearch, task: Task) -> int:
    results = parallel_bulk(client, _actions(task), thread_count=THREADS, chunk_size=CHUNK, queue_size=THREADS)
    return sum(ok for ok, _ in results)


def _actions(task: Task) -> Iterator[dict[str, object]]:
    for page in (offset_pages if task.competitor is Competitor.OFFSET else keyset_pages)(task):
        for row in page:
            yield {"_index": task.index, "_id": row["id"], "_source": row}


if __name__ == "__main__":
    answer(run)
