"""Searching an alias with a query string."""

import re
from typing import TypedDict

from elasticsearch import ApiError

from indexer.errors import Refused
from indexer.model.json import JsonObject
from indexer.model.live_fields import live_fields, prefixed
from indexer.model.query_string import with_prefixes
from indexer.model.search import Found, Hit
from indexer.target.client import Cluster
from indexer.target.failure import BAD_REQUEST, NOT_FOUND, answered, error_reason

__all__ = ["search"]


class _Hit(TypedDict):
    _id: str
    _score: float | None
    _source: JsonObject


def search(cluster: Cluster, alias: str, query: str, size: int = 10) -> Found:
    """Find documents by a query in Lucene's syntax: `timeout AND service:payments`.

    All words must be found; without an operator between them, in one and the same field. `AND` between words finds
    them in different fields, `OR` asks for any of them, `service:payments` names the field. Where the index keeps
    Korean words whole, they are asked as prefixes: 반도체 finds 반도체를 with every analyzer.

    Args:
        cluster: where the alias is.
        alias: the alias, or an index.
        query: the query string.
        size: how many hits to return at most, up to 10,000 as Elasticsearch has it by default.

    Raises:
        Refused: for a query that does not parse, with the place where it breaks, a size too large, or no such alias.
        TargetError: for any other failure.
    """
    with answered(f"search {alias}"):
        try:
            answer = cluster.client.search(
                index=alias,
                query={"query_string": _query_string(cluster, alias, query)},
                size=size,
                track_total_hits=True,
                allow_partial_search_results=False,
            ).body
        except ApiError as error:
            refusal = _refusal(error, alias, query)
            if refusal is None:
                raise
            raise refusal from error
    hits: list[_Hit] = answer["hits"]["hits"]
    return Found(
        total=answer["hits"]["total"]["value"],
        hits=tuple(Hit(hit["_id"], hit["_score"] or 0.0, hit["_source"]) for hit in hits),
    )


def _query_string(cluster: Cluster, alias: str, query: str) -> JsonObject:
    asked: JsonObject = {"query": query, "default_operator": "AND", "lenient": True}
    prefixes = frozenset().union(*(prefixed(live_fields(mappings)) for mappings in _mappings(cluster, alias)))
    # A prefix is taken as it stands unless analysis is asked for, and 개발한다. with its full stop is in no index.
    return {**asked, "query": with_prefixes(query, prefixes), "analyze_wildcard": True} if prefixes else asked


def _mappings(cluster: Cluster, alias: str) -> list[JsonObject]:
    return [index["mappings"] for index in cluster.client.indices.get_mapping(index=alias).body.values()]


def _refusal(error: ApiError, alias: str, query: str) -> Refused | None:
    if error.meta.status == NOT_FOUND:
        return Refused(
            f"There is no alias {alias}: make it with reindex --table TABLE --index {alias}, or name another."
        )
    if error.meta.status != BAD_REQUEST:
        return None
    places: list[str] = re.findall(r"line \d+, column (\d+)", str(error.body))
    if not places:
        return Refused(f"{alias} cannot be searched so: {error_reason(error)}.")
    return Refused(
        f"The query {query!r} does not parse at column {int(places[-1]) + 1}:"
        " close the bracket or quote, or put a backslash before a special character."
    )
