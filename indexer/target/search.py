"""Searching an alias with a query string."""

import re
from typing import TypedDict

from elasticsearch import ApiError

from indexer.errors import Refused
from indexer.model.json import JsonObject
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
    them in different fields, `OR` asks for any of them, `service:payments` names the field.

    Args:
        cluster: where the alias is.
        alias: the alias, or an index.
        query: the query string.
        size: how many hits to return at most, up to 10,000 as Elasticsearch has it by default.

    Raises:
        Refused: for a query that does not parse, with the place where it breaks, a size too large, or no such alias.
        TargetError: for any other failure.
    """
    asked = {"query": query, "default_operator": "AND", "lenient": True}
    with answered(f"search {alias}"):
        try:
            answer = cluster.client.search(
                index=alias,
                query={"query_string": asked},
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
