"""dlt (dlthub.com): a resource that reads keyset pages, and a custom destination as its documentation shows one.

It has no destination for Elasticsearch. Every row passes through two files on the way: extracted, then normalised.
Its own columns and tables are left out (the decorator's default). What it needs beside the package: code for both
ends, and a folder; packages that a kill left there are loaded before anything else.
"""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Final

import dlt
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from bench.competitors.crate_pages import Document, keyset_pages
from bench.competitors.task import Moved, Task, answer

__all__ = ["move"]

_BATCH: Final = 5_000
"""Documents a call, and a request: about as many as fill one of `reindex`. dlt's default is 10."""


def move(task: Task) -> Moved:
    """Run the pipeline."""
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="ERROR")
    sent: list[int] = []
    client = Elasticsearch(task.target, request_timeout=120)

    @dlt.destination(name="elasticsearch", batch_size=_BATCH, loader_file_format="typed-jsonl")
    def documents(items: list[Document], table: Mapping[str, object]) -> None:  # noqa: ARG001  # dlt's
        actions = ({"_index": task.index, "_id": item["id"], "_source": item} for item in items)
        sent.append(bulk(client, actions, stats_only=True, chunk_size=_BATCH)[0])

    @dlt.resource(name="rows", max_table_nesting=0)
    def rows() -> Iterator[list[Document]]:
        yield from keyset_pages(task)

    pipeline = dlt.pipeline("bench", destination=documents, pipelines_dir=task.folder)
    began = time.perf_counter()
    pipeline.run(rows)
    return Moved(sum(sent), time.perf_counter() - began)


if __name__ == "__main__":
    answer(move)
