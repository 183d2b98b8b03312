"""Searching an alias: a page of hits, a count, a summary."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import IndexFields, read_index_fields
from indexer.model.mapping.search_hints import SearchHints, hints_of
from indexer.search.hit import Hit, SearchResult
from indexer.search.query import QueryBuilder, SearchQuery
from indexer.search.query_string import escaped_at
from indexer.search.summary import Interval, Summary, SummaryRequest, aggregations, read_summary
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, NOT_FOUND, api_error_reason, translated_errors

__all__ = ["LARGEST_PAGE", "HitAnswer", "Search", "SearchAnswer", "read_hit", "search_alias"]

LARGEST_PAGE: Final = 10_000
"""`index.max_result_window` unless someone changed it."""


class HitAnswer(TypedDict, total=False):
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
    hits: list[HitAnswer]


class SearchAnswer(TypedDict, total=False):
    """What Elasticsearch answers to a search."""

    hits: _Hits
    aggregations: dict[str, dict[str, Json]]


class Search:
    """Questions to one alias.

    Every method raises `UsageError` for a question that the index cannot be asked, with the thing and the remedy, and
    `TargetError` for any other failure.

    Args:
        cluster: where the alias is.
        alias: the alias, or an index.
        now: the present, in the user's time zone, if not this moment in the system's.
    """

    def __init__(self, cluster: Cluster, alias: str, now: datetime | None = None) -> None:
        self.cluster = cluster
        self.alias = alias
        self.now = now or datetime.now().astimezone()

    @cached_property
    def fields(self) -> IndexFields:
        """The fields of the alias, asked for once."""
        with translated_errors(f"read the mapping of {self.alias}"):
            try:
                found = self.cluster.client.indices.get_mapping(index=self.alias).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                raise self._missing() from error
        if not found:  # a pattern that matches no index
            raise self._missing()
        return read_index_fields((index["mappings"] for index in found.values()), self.alias)

    @cached_property
    def hints(self) -> SearchHints:
        """What the index says of itself."""
        return hints_of(self.fields)

    def builder(self, search_query: SearchQuery) -> QueryBuilder:
        """The question, put to this index."""
        return QueryBuilder(search_query, self.fields, self.hints, self.now)

    def body(self, search_query: SearchQuery, size: int, *, exact: bool = False, mark: bool = False) -> JsonObject:
        """The request of `page`, as `--explain` shows it."""
        builder = self.builder(search_query)
        parts: JsonObject = {"sort": builder.sort(), "highlight": builder.highlight() if mark else None}
        return {
            "query": builder.query(),
            "_source": builder.source(),
            "size": size,
            "track_total_hits": exact or LARGEST_PAGE,
            **{name: part for name, part in parts.items() if part},
        }

    def page(
        self, search_query: SearchQuery, size: int = 10, *, exact: bool = False, mark: bool = False
    ) -> SearchResult:
        """The first hits.

        Args:
            question: what is looked for.
            size: how many hits at most, up to 10,000 as Elasticsearch has it by default; `indexer.search.export` has all.
            exact: count all that match; otherwise counting may end at 10,000.
            mark: mark what matched in the texts.
        """
        answer = self.ask(search_query, self.body(search_query, size, exact=exact, mark=mark))
        total = answer["hits"]["total"]
        return SearchResult(
            total["value"], tuple(map(read_hit, answer["hits"]["hits"])), exact=total["relation"] == "eq"
        )

    def count(self, search_query: SearchQuery) -> int:
        """How many documents match, exactly."""
        return self.page(search_query, 0, exact=True).total

    def summary(self, search_query: SearchQuery, wanted: SummaryRequest) -> Summary:
        """What matches, in numbers."""
        body = self.summary_body(search_query, wanted)
        if wanted.interval:
            self._refuse_too_many(search_query, wanted.interval)
        answer = self.ask(search_query, body)
        return read_summary(answer["hits"]["total"]["value"], answer["aggregations"], wanted)

    def summary_body(self, search_query: SearchQuery, wanted: SummaryRequest) -> JsonObject:
        """The request of `summary`, as `--explain` shows it."""
        builder = self.builder(search_query)
        time = builder.time("--histogram") if wanted.interval else None
        aggs = aggregations(wanted, self.fields, time, builder.zone)
        return {"query": builder.query(), "size": 0, "track_total_hits": True, "aggs": aggs}

    def _refuse_too_many(self, search_query: SearchQuery, interval: Interval) -> None:
        time = self.builder(search_query).time("--histogram")
        bounds: JsonObject = {"first": {"min": {"field": time}}, "last": {"max": {"field": time}}}
        body: JsonObject = {"query": self.builder(search_query).query(), "size": 0, "aggs": bounds}
        found = self.ask(search_query, body)["aggregations"]
        first, last = found["first"]["value"], found["last"]["value"]
        if isinstance(first, float) and isinstance(last, float):
            interval.refuse_too_many(last - first)

    def ask(self, search_query: SearchQuery, body: JsonObject, **options: Json) -> SearchAnswer:
        """One search request; a refusal of Elasticsearch becomes ours."""
        with translated_errors(f"search {self.alias}"):
            try:
                return self._send({"index": self.alias, **body, **options})
            except ApiError as error:
                refusal = self._refusal(error, search_query)
                if refusal is None:
                    raise
                raise refusal from error

    def _send(self, request: JsonObject) -> SearchAnswer:
        index = {} if "pit" in request else {"index": request["index"], "allow_partial_search_results": False}
        named = {name.removeprefix("_") if name == "_source" else name: value for name, value in request.items()}
        named.pop("index")
        # The client's hundred typed parameters are chosen by name here.
        send: Callable[..., Any] = self.cluster.client.search
        answer: SearchAnswer = send(**index, **named).body
        return answer

    def _missing(self) -> UsageError:
        return UsageError(
            f"There is no alias {self.alias}: make it with reindex --table TABLE --index {self.alias}, or name another"
            " with --index."
        )

    def _refusal(self, error: ApiError, search_query: SearchQuery) -> UsageError | None:
        if error.meta.status == NOT_FOUND:
            return self._missing()
        if error.meta.status != BAD_REQUEST:
            return None
        column = _column(error)
        if column is None:
            return UsageError(f"{self.alias} cannot be searched so: {api_error_reason(error)}.")
        column = self._column_as_written(search_query) or column
        place = f"at column {column}" + ("" if column <= len(search_query.query) else ", where it ends")
        return UsageError(
            f"The query '{search_query.query}' does not parse {place}: close the bracket or quote, or put a backslash"
            f" before a special character, for example '{escaped_at(search_query.query, column)}'."
        )

    def _column_as_written(self, search_query: SearchQuery) -> int | None:
        """Where the query breaks as the user wrote it: what was sent may have more characters."""
        try:
            self._send({"index": self.alias, "query": self.builder(search_query).query(as_written=True), "size": 0})
        except ApiError as error:
            return _column(error)
        return None


def _column(error: ApiError) -> int | None:
    places: list[str] = re.findall(r"line \d+, column (\d+)", str(error.body))
    return int(places[-1]) + 1 if places else None


def read_hit(hit: HitAnswer) -> Hit:
    """A hit as Elasticsearch returns it."""
    marked = {name: texts[0] for name, texts in hit.get("highlight", {}).items()}
    return Hit(hit["_id"], hit.get("_score") or 0.0, hit.get("_source", {}), marked, tuple(hit.get("sort", ())))


def search_alias(cluster: Cluster, alias: str, query: str, size: int = 10) -> SearchResult:
    """Find documents by a query in Lucene's syntax: `timeout AND service:payments`.

    All words must be found; without an operator between them, in one and the same text field. `OR` asks for any of
    them, `service:payments` names the field. Where the index keeps Korean words whole, they are asked as prefixes:
    반도체 finds 반도체를 with every analyzer.

    Args:
        cluster: where the alias is.
        alias: the alias, or an index.
        query: the query string.
        size: how many hits to return at most, up to 10,000 as Elasticsearch has it by default.

    Raises:
        UsageError: for a query that does not parse, with the place where it breaks, a size too large, or no such alias.
        TargetError: for any other failure.
    """
    return Search(cluster, alias).page(SearchQuery(query), size, exact=True)
