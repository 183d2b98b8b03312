"""The naive way: a `crate` cursor and `helpers.bulk` as its documentation shows it, 500 documents a request.

Each request is sent in turn and waited for.
"""

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from bench.meter import Meter
from bench.run import Run, Task, answer
from bench.ways.naive_rows import actions
from indexer.job.memory import peak_rss

__all__ = ["run"]


def run(task: Task) -> Run:
    """Move the table."""
    meter = Meter(task.source, task.target)
    with Elasticsearch(task.target, request_timeout=120) as client, meter:
        done, _ = bulk(client, actions(task), stats_only=True)
    return Run(task.way, done, meter.spent, peak_rss())


if __name__ == "__main__":
    answer(run)
