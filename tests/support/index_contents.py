"""Reads a whole index, to compare it with rows or with another index."""

from typing import Any

from elasticsearch import Elasticsearch

__all__ = ["documents"]


def documents(client: Elasticsearch, index: str) -> dict[str, Any]:
    """The source of every document, by its `_id`."""
    pit = client.open_point_in_time(index=index, keep_alive="2m")["id"]
    found, after = dict[str, Any](), None
    while True:
        hits = client.search(size=10_000, pit={"id": pit, "keep_alive": "2m"}, sort=["_shard_doc"], search_after=after)[
            "hits"
        ]["hits"]
        if not hits:
            break
        found |= {hit["_id"]: hit["_source"] for hit in hits}
        after = hits[-1]["sort"]
    client.close_point_in_time(id=pit)
    return found
