"""A stand-in for Logstash: the SQL that its JDBC input sends when it pages, and its batches. Not its pipeline.

The SQL is that of the plugin's default `jdbc_paging_mode => "auto"` (Sequel): a count, then the user's statement in
parentheses with LIMIT and OFFSET around it, in no order. Batches and workers are Logstash's defaults on two cores.
What Logstash itself spends on events, filters and the JVM is not here, so the stand-in flatters it.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import BoundedSemaphore
from typing import Final

from elasticsearch import Elasticsearch

from bench.competitors.crate_pages import PAGE, Document, open_cursor
from bench.competitors.task import Run, Task, answer
from bench.meter.meter import Meter
from indexer.pipeline.memory import peak_rss

__all__ = ["BATCH", "WORKERS", "run"]

BATCH: Final = 125
"""Events of one request: `pipeline.batch.size`."""

WORKERS: Final = 2
"""Requests in flight: `pipeline.workers`, by default one for each core."""


def run(task: Task) -> Run:
    """Move the table."""
    meter, sent, room = Meter(task.source, task.target), list[Future[int]](), BoundedSemaphore(2 * WORKERS)
    events = _events(task)
    with Elasticsearch(task.target, request_timeout=120) as client, meter, ThreadPoolExecutor(WORKERS) as pool:
        while batch := list(islice(events, BATCH)):
            room.acquire()
            sent.append(pool.submit(_send, client, task.index, batch))
            sent[-1].add_done_callback(lambda _: room.release())
        done = sum(one.result() for one in sent)
    return Run(task.competitor, done, meter.usage, peak_rss())


def _events(task: Task) -> Iterator[Document]:
    cursor = open_cursor(task)
    statement = f"SELECT {', '.join(task.columns)} FROM {task.table}"
    cursor.execute(f'SELECT count(*) AS "count" FROM ({statement}) AS "t1" LIMIT 1', [])
    count = cursor.fetchall()[0][0]
    for offset in range(0, count if isinstance(count, int) else 0, PAGE):
        cursor.execute(f'SELECT * FROM ({statement}) AS "t1" LIMIT {PAGE} OFFSET {offset}', [])
        for row in cursor.fetchall():
            yield dict(zip(task.columns, row, strict=True))


def _send(client: Elasticsearch, index: str, events: list[Document]) -> int:
    operations = [line for event in events for line in ({"index": {"_id": event["id"]}}, event)]
    items = client.bulk(index=index, operations=operations).body["items"]
    return sum("error" not in item["index"] for item in items)


if __name__ == "__main__":
    answer(run)
