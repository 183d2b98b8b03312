"""The mapping of an existing index, for tests without a server."""

from indexer.model.json import JsonObject

__all__ = ["MAPPING"]

MAPPING: JsonObject = {
    "properties": {
        "ts": {"type": "date"},
        "level": {"type": "keyword"},
        "service": {"type": "keyword"},
        "trace_id": {"type": "keyword"},
        "status": {"type": "integer"},
        "latency_ms": {"type": "double"},
        "done": {"type": "boolean"},
        "ip": {"type": "ip"},
        "message": {
            "type": "text",
            "index_prefixes": {"min_chars": 2, "max_chars": 5},
            "fields": {"keyword": {"type": "keyword", "ignore_above": 256}, "plain": {"type": "text"}},
        },
        "note": {"type": "text"},
        "attrs": {"properties": {"pod": {"type": "keyword"}}},
        "labels": {"type": "flattened"},
        "place": {"type": "geo_point"},
    }
}
