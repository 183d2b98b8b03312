"""Reads a whole index, for comparing two of them document by document."""

from collections.abc import Iterator
from typing import Any

from elasticsearch import Elasticsearch

__all__ = ["documents", "versions"]


def _hits(client: Elasticsearch, index: str, *, source: bool = True) -> Iterator[dict[str, Any]]:
    pit = client.open_point_in_time(index=index, keep_alive="2m")["id"]
    after = None
    while True:
        page = client.search(
            size=10_000,
            pit={"id": pit, "keep_alive": "2m"},
            sort=["_shard_doc"],
            search_after=after,
            version=True,
            source=source,
        )["hits"]["hits"]
        if not page:
            break
        yield from page
        after = page[-1]["sort"]
    client.close_point_in_time(id=pit)


def documents(client: Elasticsearch, index: str) -> dict[str, Any]:
    """Every document by its id."""
    return {hit["_id"]: hit["_source"] for hit in _hits(client, index)}


def versions(client: Elasticsearch, index: str) -> int:
    """How many documents were written in all, over their versions."""
    return sum(hit["_version"] for hit in _hits(client, index, source=False))
