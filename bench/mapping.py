"""What text, keyword and doc values of the message cost: the same documents, written five ways."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final

import orjson

from indexer.model.json import JsonObject
from indexer.sandbox.sample_logs import sample_rows
from indexer.settings import TargetAccess
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes

__all__ = ["WAYS", "Measured", "measure", "report"]

_EXACT: Final[JsonObject] = {"type": "keyword", "ignore_above": 256}
WAYS: Final[dict[str, JsonObject]] = {
    "text": {"type": "text"},
    "text + keyword": {"type": "text", "fields": {"keyword": _EXACT}},
    "text + keyword without doc_values": {
        "type": "text",
        "fields": {"keyword": {**_EXACT, "doc_values": False}},
    },
    "keyword": dict(_EXACT),
    "keyword without doc_values": {**_EXACT, "doc_values": False},
}
"""How `message` is indexed; everything else is the same."""

_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One way, the median of its passes.

    Attributes:
        way: its name in `WAYS`.
        documents_per_second: written by one connection, refreshes off.
        bytes: the index's size after a merge into one segment.
    """

    way: str
    documents_per_second: float
    bytes: int


def measure(url: str, rows: int, repeat: int) -> list[Measured]:
    """Write the sample logs in every way, in turns; the first pass warms up and does not count.

    Args:
        url: the Elasticsearch.
        rows: how many documents.
        repeat: passes that count.
    """
    batches = list(_batches(rows))
    with connect(TargetAccess(url=url)) as cluster:
        rounds = [{way: _write(cluster, way, batches, rows) for way in WAYS} for _ in range(repeat + 1)][1:]
    return [
        Measured(way, median(one[way][0] for one in rounds), round(median(one[way][1] for one in rounds)))
        for way in WAYS
    ]


def report(found: list[Measured], rows: int) -> str:
    """A table in Markdown."""
    head = f"| message as | docs/s | index size, {rows:,} documents |\n|---|---:|---:|\n"
    lines = (f"| {one.way} | {one.documents_per_second:,.0f} | {one.bytes / 1e6:.1f} MB |\n" for one in found)
    return head + "".join(lines)


def _batches(rows: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for row in sample_rows(rows):
        source = {"ts": row.ts, "level": row.level, "service": row.service, "message": row.message}
        batch.append(b'{"index":{"_id":"%d"}}\n%b\n' % (row.id, orjson.dumps(source)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _write(cluster: Cluster, way: str, batches: list[list[bytes]], rows: int) -> tuple[float, int]:
    """Documents a second, and the bytes of the merged index."""
    indexes = Indexes(cluster)
    name = indexes.new_name("bench_mapping", datetime.now(UTC))
    properties: JsonObject = {"ts": {"type": "date"}, "level": {"type": "keyword"}, "service": {"type": "keyword"}}
    indexes.create(name, {"dynamic": False, "properties": {**properties, "message": WAYS[way]}}, {}, {})
    try:
        writer = BulkWriter(cluster, name)
        began = time.perf_counter()
        for batch in batches:
            writer.write(batch)
        seconds = time.perf_counter() - began
        indexes.finish(name, {})
        return rows / seconds, _size(cluster, name)
    finally:
        indexes.delete(name)


def _size(cluster: Cluster, name: str) -> int:
    patient = cluster.client.options(request_timeout=600).indices
    patient.forcemerge(index=name, max_num_segments=1, flush=True)
    patient.flush(index=name, force=True, wait_if_ongoing=True)
    size: int = patient.stats(index=name, metric="store").body["_all"]["primaries"]["store"]["size_in_bytes"]
    return size
