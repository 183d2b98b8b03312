"""Mapping: what text, keyword and doc values of the message cost. The same documents are written five ways."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final

import orjson

from bench.meter.machine import describe_machine
from bench.report.markdown import figure_tables, report
from bench.report.record import Figure, Record
from indexer.access import TargetAccess
from indexer.model.json import JsonObject
from indexer.sandbox.sample_logs import sample_rows
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes

__all__ = ["run_mapping"]

_EXACT: Final[JsonObject] = {"type": "keyword", "ignore_above": 256}
_MAPPINGS: Final[dict[str, JsonObject]] = {
    "text": {"type": "text"},
    "text + keyword": {"type": "text", "fields": {"keyword": _EXACT}},
    "text + keyword without doc_values": {"type": "text", "fields": {"keyword": {**_EXACT, "doc_values": False}}},
    "keyword": dict(_EXACT),
    "keyword without doc_values": {**_EXACT, "doc_values": False},
}
"""How `message` is indexed; everything else is the same."""

_BATCH: Final = 5_000


def run_mapping(url: str, rows: int, repeat: int, say: Callable[[str], None]) -> Record:
    """Write the sample logs in every way, in turns; the first round warms up and does not count."""
    batches = list(_batches(rows))
    rounds: list[dict[str, tuple[float, int]]] = []
    with connect(TargetAccess(url=url)) as cluster:
        for place in range(repeat + 1):
            say(f"Round {place}/{repeat}{'' if place else ', warming up'}.")
            rounds.append({name: _write(cluster, name, batches, rows) for name in _MAPPINGS})
    counted = rounds[1:]
    record = Record(
        bench="mapping",
        settings={"rows": rows, "repeat": repeat},
        machine=describe_machine(None, url),
        figures=(
            *(
                Figure(f"message as {way}", "docs/s", tuple(one[way][0] for one in counted), more=True)
                for way in _MAPPINGS
            ),
            *(
                Figure(f"message as {way}, index", "MB", tuple(one[way][1] / 1e6 for one in counted))
                for way in _MAPPINGS
            ),
        ),
        measured=counted,
    )
    how = f"{rows:,} documents, written by one connection, refreshes off; the index after a merge into one segment."
    return report(record, how, *figure_tables(record))


def _batches(rows: int) -> Iterator[list[bytes]]:
    remaining = iter(sample_rows(rows))
    while some := list(islice(remaining, _BATCH)):
        yield [
            b'{"index":{"_id":"%d"}}\n%b\n'
            % (
                row.id,
                orjson.dumps({"ts": row.ts, "level": row.level, "service": row.service, "message": row.message}),
            )
            for row in some
        ]


def _write(cluster: Cluster, way: str, batches: list[list[bytes]], rows: int) -> tuple[float, int]:
    """Documents a second, and the bytes of the merged index."""
    indexes = Indexes(cluster)
    name = indexes.new_name("bench_mapping", datetime.now(UTC))
    properties: JsonObject = {"ts": {"type": "date"}, "level": {"type": "keyword"}, "service": {"type": "keyword"}}
    indexes.create(name, {"dynamic": False, "properties": {**properties, "message": _MAPPINGS[way]}}, {}, {})
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
