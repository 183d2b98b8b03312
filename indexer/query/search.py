"""Searches of an alias: a page of hits, a count, a summary."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import IndexFields, read_index_fields
from indexer.model.mapping.search_hints import SearchHints, resolve_hints
from indexer.query.hit import Hit, SearchResult
from indexer.query.query import QueryBuilder, SearchQuery
from indexer.query.query_string import escaped_at
from indexer.query.summary import Interval, Summary, SummaryRequest, aggregations, read_summary
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, NOT_FOUND, api_error_reason, translated_errors

__all__ = ["MAX_PAGE", "HitBody", "Search", "SearchResponse", "read_hit", "search_alias"]

MAX_PAGE: Final = 10_000
"""The default of `index.max_result_window`."""


class HitBody(TypedDict, total=False):
    """A hit as Elasticsearch returns it."""

    _id: str
    _score: float | None
    _source: JsonObject
    highlight: dict[str, list[str]]
    sort: list[Json]


class _Total(TypedDict):
    value: int
    relation: str


class _Hits(TypedDict):
    total: _Total
    hits: list[HitBody]


class SearchResponse(TypedDict, total=False):
    """Elasticsearch's response to a search."""

    hits: _Hits
    aggregations: dict[str, dict[str, Json]]


class Search:
    """Searches one alias.

    Every method raises `UsageError` for a query that does not suit the index, with the problem and its remedy, and
    `TargetError` for any other failure.

    Args:
        cluster: the cluster of the alias.
        alias: the alias, or an index.
        now: the present, in the user's time zone; by default this moment, in the system's.
    """

    def __init__(self, cluster: Cluster, alias: str, now: datetime | None = None) -> None:
        self.cluster = cluster
        self.alias = alias
        self.now = now or datetime.now().astimezone()

    @cached_property
    def fields(self) -> IndexFields:
        """The fields of the alias, requested once."""
        with translated_errors(f"read the mapping of {self.alias}"):
            try:
                indexes = self.cluster.client.indices.get_mapping(index=self.alias).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                raise self._no_alias() from error
        if not indexes:  # a pattern that matches no index
            raise self._no_alias()
        return read_index_fields((index["mappings"] for index in indexes.values()), self.alias)

    @cached_property
    def hints(self) -> SearchHints:
        """The search hints of the index."""
        return resolve_hints(self.fields)

    def builder(self, query: SearchQuery) -> QueryBuilder:
        """The builder of the query's requests to this index."""
        return QueryBuilder(query, self.fields, self.hints, self.now)

    def page(self, query: SearchQuery, size: int = 10, *, exact: bool = False, highlight: bool = False) -> SearchResult:
        """The first hits.

        Args:
            query: what to search for.
            size: the most hits, up to Elasticsearch's default limit of 10,000; `indexer.query.export` has no limit.
            exact: count every match; otherwise counting may stop at 10,000.
            highlight: mark the matches in the texts.
        """
        response = self.send(query, self.page_body(query, size, exact=exact, highlight=highlight))
        total = response["hits"]["total"]
        return SearchResult(
            total["value"], tuple(map(read_hit, response["hits"]["hits"])), exact=total["relation"] == "eq"
        )

    def page_body(self, query: SearchQuery, size: int, *, exact: bool = False, highlight: bool = False) -> JsonObject:
        """The body of the request that `page` sends, for `--explain`."""
        builder = self.builder(query)
        optional: JsonObject = {"sort": builder.sort(), "highlight": builder.highlight() if highlight else None}
        return {
            "query": builder.query(),
            "_source": builder.source(),
            "size": size,
            "track_total_hits": exact or MAX_PAGE,
            **{name: value for name, value in optional.items() if value},
        }

    def count(self, query: SearchQuery) -> int:
        """The exact number of documents that match."""
        return self.page(query, 0, exact=True).total

    def summary(self, query: SearchQuery, request: SummaryRequest) -> Summary:
        """The matches in numbers."""
        body = self.summary_body(query, request)
        if request.interval:
            self._refuse_too_many_bars(query, request.interval)
        response = self.send(query, body)
        return read_summary(response["hits"]["total"]["value"], response["aggregations"], request)

    def summary_body(self, query: SearchQuery, request: SummaryRequest) -> JsonObject:
        """The body of the request that `summary` sends, for `--explain`."""
        builder = self.builder(query)
        time = builder.time("--histogram") if request.interval else None
        aggs = aggregations(request, self.fields, time, builder.zone)
        return {"query": builder.query(), "size": 0, "track_total_hits": True, "aggs": aggs}

    def _refuse_too_many_bars(self, query: SearchQuery, interval: Interval) -> None:
        builder = self.builder(query)
        time = builder.time("--histogram")
        bounds: JsonObject = {"first": {"min": {"field": time}}, "last": {"max": {"field": time}}}
        results = self.send(query, {"query": builder.query(), "size": 0, "aggs": bounds})["aggregations"]
        first, last = results["first"]["value"], results["last"]["value"]
        if isinstance(first, float) and isinstance(last, float):
            interval.refuse_too_many_bars(last - first)

    def send(self, query: SearchQuery, body: JsonObject) -> SearchResponse:
        """Send one search request of a query.

        Raises:
            UsageError: if Elasticsearch refuses the query, or there is no such alias.
            TargetError: for any other failure.
        """
        with translated_errors(f"search {self.alias}"):
            try:
                return self._search(body)
            except ApiError as error:
                refusal = self._refusal(error, query)
                if refusal is None:
                    raise
                raise refusal from error

    def _search(self, body: JsonObject) -> SearchResponse:
        # A point in time names its index itself.
        index = {} if "pit" in body else {"index": self.alias, "allow_partial_search_results": False}
        parameters = {"source" if name == "_source" else name: value for name, value in body.items()}
        # The client's search has a hundred typed parameters; these are chosen at run time.
        search: Callable[..., Any] = self.cluster.client.search
        response: SearchResponse = search(**index, **parameters).body
        return response

    def _no_alias(self) -> UsageError:
        return UsageError(
            f"There is no alias {self.alias}: create it with reindex --table TABLE --index {self.alias}, or name"
            " another with --index."
        )

    def _refusal(self, error: ApiError, query: SearchQuery) -> UsageError | None:
        if error.meta.status == NOT_FOUND:
            return self._no_alias()
        if error.meta.status != BAD_REQUEST:
            return None
        column = _error_column(error)
        if column is None:
            return UsageError(f"Elasticsearch refused this search of {self.alias}: {api_error_reason(error)}.")
        column = self._column_as_written(query) or column
        text = query.query_string
        place = f"at column {column}" + ("" if column <= len(text) else ", its end")
        return UsageError(
            f"The query '{text}' does not parse {place}: close the bracket or quote, or put a backslash before a"
            f" special character, for example '{escaped_at(text, column)}'."
        )

    def _column_as_written(self, query: SearchQuery) -> int | None:
        """The column of the error in the query string as the user wrote it: the one that was sent may be longer."""
        try:
            self._search({"query": self.builder(query).query(as_written=True), "size": 0})
        except ApiError as error:
            return _error_column(error)
        return None


def _error_column(error: ApiError) -> int | None:
    """The column, from 1, of a parse error in the query string; None for any other error."""
    columns: list[str] = re.findall(r"line \d+, column (\d+)", str(error.body))
    return int(columns[-1]) + 1 if columns else None


def read_hit(hit: HitBody) -> Hit:
    """Read one hit of a response."""
    highlights = {name: texts[0] for name, texts in hit.get("highlight", {}).items()}
    return Hit(hit["_id"], hit.get("_score") or 0.0, hit.get("_source", {}), highlights, tuple(hit.get("sort", ())))


def search_alias(cluster: Cluster, alias: str, query_string: str, size: int = 10) -> SearchResult:
    """Find documents by a query in Lucene's syntax: `timeout AND service:payments`.

    All words must match; words without an operator between them, in the same text field. `OR` matches either word, and
    `service:payments` names the field. Where the index keeps Korean words whole, they are searched as prefixes: 반도체
    finds 반도체를 with every analyzer.

    Args:
        cluster: the cluster of the alias.
        alias: the alias, or an index.
        query_string: the query.
        size: the most hits, up to Elasticsearch's default limit of 10,000.

    Raises:
        UsageError: for a query that does not parse, with the place, a size too large, or no such alias.
        TargetError: for any other failure.
    """
    return Search(cluster, alias).page(SearchQuery(query_string), size, exact=True)
