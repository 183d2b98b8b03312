"""Searching an alias: a page of hits, a count, a summary."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import Refused
from indexer.model.json import Json, JsonObject
from indexer.model.live_fields import LiveFields, live_fields
from indexer.model.query_string import escaped_at
from indexer.model.question import Asking, Question
from indexer.model.search import Found, Hit
from indexer.model.search_hints import SearchHints, hints_of
from indexer.model.summary import Interval, Summary, SummaryWanted, aggregations, read_summary
from indexer.target.client import Cluster
from indexer.target.failure import BAD_REQUEST, NOT_FOUND, answered, error_reason

__all__ = ["LARGEST_PAGE", "Answer", "HitAnswer", "Search", "read_hit", "search"]

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


class Answer(TypedDict, total=False):
    """What Elasticsearch answers to a search."""

    hits: _Hits
    aggregations: dict[str, dict[str, Json]]


class Search:
    """Questions to one alias.

    Every method raises `Refused` for a question that the index cannot be asked, with the thing and the remedy, and
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
    def fields(self) -> LiveFields:
        """The fields of the alias, asked for once."""
        with answered(f"read the mapping of {self.alias}"):
            try:
                found = self.cluster.client.indices.get_mapping(index=self.alias).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                raise self._missing() from error
        if not found:  # a pattern that matches no index
            raise self._missing()
        return live_fields((index["mappings"] for index in found.values()), self.alias)

    @cached_property
    def hints(self) -> SearchHints:
        """What the index says of itself."""
        return hints_of(self.fields)

    def asking(self, question: Question) -> Asking:
        """The question, put to this index."""
        return Asking(question, self.fields, self.hints, self.now)

    def body(self, question: Question, size: int, *, exact: bool = False, mark: bool = False) -> JsonObject:
        """The request of `page`, as `--explain` shows it."""
        asking = self.asking(question)
        parts: JsonObject = {"sort": asking.sort(), "highlight": asking.highlight() if mark else None}
        return {
            "query": asking.query(),
            "_source": asking.source(),
            "size": size,
            "track_total_hits": exact or LARGEST_PAGE,
            **{name: part for name, part in parts.items() if part},
        }

    def page(self, question: Question, size: int = 10, *, exact: bool = False, mark: bool = False) -> Found:
        """The first hits.

        Args:
            question: what is looked for.
            size: how many hits at most, up to 10,000 as Elasticsearch has it by default; `indexer.target.deep` has all.
            exact: count all that match; otherwise counting may end at 10,000.
            mark: mark what matched in the texts.
        """
        answer = self.ask(question, self.body(question, size, exact=exact, mark=mark))
        total = answer["hits"]["total"]
        return Found(total["value"], tuple(map(read_hit, answer["hits"]["hits"])), exact=total["relation"] == "eq")

    def count(self, question: Question) -> int:
        """How many documents match, exactly."""
        return self.page(question, 0, exact=True).total

    def summary(self, question: Question, wanted: SummaryWanted) -> Summary:
        """What matches, in numbers."""
        body = self.summary_body(question, wanted)
        if wanted.interval:
            self._refuse_too_many(question, wanted.interval)
        answer = self.ask(question, body)
        return read_summary(answer["hits"]["total"]["value"], answer["aggregations"], wanted)

    def summary_body(self, question: Question, wanted: SummaryWanted) -> JsonObject:
        """The request of `summary`, as `--explain` shows it."""
        asking = self.asking(question)
        time = asking.time("--histogram") if wanted.interval else None
        aggs = aggregations(wanted, self.fields, time, asking.zone)
        return {"query": asking.query(), "size": 0, "track_total_hits": True, "aggs": aggs}

    def _refuse_too_many(self, question: Question, interval: Interval) -> None:
        time = self.asking(question).time("--histogram")
        bounds: JsonObject = {"first": {"min": {"field": time}}, "last": {"max": {"field": time}}}
        body: JsonObject = {"query": self.asking(question).query(), "size": 0, "aggs": bounds}
        found = self.ask(question, body)["aggregations"]
        first, last = found["first"]["value"], found["last"]["value"]
        if isinstance(first, float) and isinstance(last, float):
            interval.refuse_too_many(last - first)

    def ask(self, question: Question, body: JsonObject, **options: Json) -> Answer:
        """One search request; a refusal of Elasticsearch becomes ours."""
        with answered(f"search {self.alias}"):
            try:
                return self._send({"index": self.alias, **body, **options})
            except ApiError as error:
                refusal = self._refusal(error, question)
                if refusal is None:
                    raise
                raise refusal from error

    def _send(self, request: JsonObject) -> Answer:
        index = {} if "pit" in request else {"index": request["index"], "allow_partial_search_results": False}
        named = {name.removeprefix("_") if name == "_source" else name: value for name, value in request.items()}
        named.pop("index")
        # The client's hundred typed parameters are chosen by name here.
        send: Callable[..., Any] = self.cluster.client.search
        answer: Answer = send(**index, **named).body
        return answer

    def _missing(self) -> Refused:
        return Refused(
            f"There is no alias {self.alias}: make it with reindex --table TABLE --index {self.alias}, or name another"
            " with --index."
        )

    def _refusal(self, error: ApiError, question: Question) -> Refused | None:
        if error.meta.status == NOT_FOUND:
            return self._missing()
        if error.meta.status != BAD_REQUEST:
            return None
        column = _column(error)
        if column is None:
            return Refused(f"{self.alias} cannot be searched so: {error_reason(error)}.")
        column = self._column_as_written(question) or column
        place = f"at column {column}" + ("" if column <= len(question.query) else ", where it ends")
        return Refused(
            f"The query '{question.query}' does not parse {place}: close the bracket or quote, or put a backslash"
            f" before a special character, for example '{escaped_at(question.query, column)}'."
        )

    def _column_as_written(self, question: Question) -> int | None:
        """Where the query breaks as the user wrote it: what was sent may have more characters."""
        try:
            self._send({"index": self.alias, "query": self.asking(question).query(as_written=True), "size": 0})
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


def search(cluster: Cluster, alias: str, query: str, size: int = 10) -> Found:
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
        Refused: for a query that does not parse, with the place where it breaks, a size too large, or no such alias.
        TargetError: for any other failure.
    """
    return Search(cluster, alias).page(Question(query), size, exact=True)
