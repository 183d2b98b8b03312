"""Lines of bulk requests and indexes for them, for tests of the write side."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from indexer.model.json import Json, JsonObject
from indexer.sink.client import Cluster
from indexer.sink.index import Indexes

__all__ = ["MAPPINGS", "NOW", "line", "lines", "new_index", "stored_ids"]

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)

MAPPINGS: JsonObject = {
    "dynamic": False,
    "properties": {
        "n": {"type": "integer"},
        "ip": {"type": "ip"},
        "at": {"type": "date", "format": "epoch_millis"},
        "word": {"type": "keyword"},
        "text": {"type": "text"},
    },
}


def line(id_: str, **source: Json) -> bytes:
    """One document, as `BulkWriter.write` takes it."""
    return orjson.dumps({"index": {"_id": id_}}) + b"\n" + orjson.dumps(source) + b"\n"


def lines(count: int) -> list[bytes]:
    """`count` documents, whose `_id` counts from "0"."""
    return [line(str(n), n=n, word=f"w{n}") for n in range(count)]


def new_index(cluster: Cluster, alias: str, mappings: JsonObject = MAPPINGS) -> str:
    """Create an index for the alias, ready for documents."""
    indexes = Indexes(cluster)
    name = indexes.new_name(alias, NOW)
    indexes.create(name, mappings, {}, {"table": "doc.logs", "job": name})
    return name


def stored_ids(cluster: Cluster, index: str, among: Sequence[str]) -> list[str]:
    """Those of the ids that the index contains, refreshed or not."""
    documents = cluster.client.mget(index=index, ids=among, source=False).body["docs"]
    return [document["_id"] for document in documents if document["found"]]
