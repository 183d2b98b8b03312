"""Search queries, and the bodies of Elasticsearch requests that they become."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from indexer.errors import UsageError, did_you_mean
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import IndexFields
from indexer.model.mapping.search_hints import SearchHints
from indexer.query.condition import Condition, any_value_filter, condition_filter
from indexer.query.hit import MARK_END, MARK_START
from indexer.query.moment import epoch_milliseconds
from indexer.query.query_string import named_fields, with_prefixes

__all__ = ["QueryBuilder", "SearchQuery"]

_MAX_HIGHLIGHTED = 100_000
"""The characters of a text in which matches are highlighted; Elasticsearch refuses more than a million."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to search for.

    Attributes:
        query_string: words in Lucene's query string syntax; `*` or nothing for everything.
        since: the earliest time, inclusive.
        until: the latest time, exclusive.
        where: conditions, all of which must hold.
        shorthands: values by shorthand: `{"level": ("ERROR", "WARN")}`.
        sort: fields, with `-` for descending; empty for the best match first or, without words, the newest.
        fields: the fields of a document to return; empty for all.
    """

    query_string: str = "*"
    since: datetime | None = None
    until: datetime | None = None
    where: tuple[Condition, ...] = ()
    shorthands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def matches_all(self) -> bool:
        """Whether the query string leaves nothing out."""
        return self.query_string.strip() in {"", "*", "*:*"}


@dataclass(frozen=True, slots=True)
class QueryBuilder:
    """Builds the request of a query to one index.

    Attributes:
        search_query: what to search for.
        fields: the index's fields.
        hints: the index's search hints.
        now: the present, in the user's time zone.
    """

    search_query: SearchQuery
    fields: IndexFields
    hints: SearchHints
    now: datetime

    def query(self, *, as_written: bool = False) -> JsonObject:
        """The body's `query`.

        Args:
            as_written: pass the query string on as the user wrote it, to find out where it does not parse.

        Raises:
            UsageError: for an unknown field or shorthand, or an invalid value.
        """
        filters: list[Json] = [*self._filters()]
        words = self._words(as_written=as_written)
        if not filters:
            return words
        must: JsonObject = {} if "match_all" in words else {"must": words}
        return {"bool": {**must, "filter": filters}}

    def sort(self) -> list[Json]:
        """The body's `sort`; empty for the best match first."""
        names = self.search_query.sort
        if not names and self.search_query.matches_all and self.hints.time:
            names = (f"-{self.hints.time}",)
        return [self._sort_clause(name) for name in names]

    def source(self) -> Json:
        """The body's `_source`: the fields of a document to return."""
        return [*dict.fromkeys(self._source_field(name) for name in self.search_query.fields)] or True

    def highlight(self) -> JsonObject:
        """The body's `highlight`."""
        fields: JsonObject = {name: {} for name in self._default_fields() if name != "*"}
        return {
            "fields": fields,
            # Elasticsearch does not highlight matches that it found by `index_prefixes`.
            **({"highlight_query": self._words(star="**")} if self.fields.prefixed else {}),
            "number_of_fragments": 0,
            "max_analyzed_offset": _MAX_HIGHLIGHTED,
            "pre_tags": [MARK_START],
            "post_tags": [MARK_END],
        }

    @property
    def zone(self) -> str:
        """The user's time zone as an offset: `+09:00`."""
        return self.now.isoformat()[-6:] if self.now.utcoffset() else "+00:00"

    def time(self, option: str) -> str:
        """The time field, which the option needs.

        Raises:
            UsageError: if the index does not say which field it is.
        """
        if self.hints.time is None:
            raise UsageError(
                f"{option} needs a time field, and {self.fields.where} does not say which it is: name it in the mapping"
                " file under `search: {time: FIELD}` and reindex, or use --where."
            )
        return self.hints.time

    def _words(self, *, as_written: bool = False, star: str = "*") -> JsonObject:
        if self.search_query.matches_all:
            return {"match_all": {}}
        self._refuse_unknown_fields()
        query_string = self.search_query.query_string
        parameters: JsonObject = {
            "query": query_string if as_written else with_prefixes(query_string, self.fields.prefixed, star),
            "fields": list(self._default_fields()),
            "default_operator": "AND",
            "lenient": True,
            "time_zone": self.zone,
        }
        return {"query_string": parameters}

    def _refuse_unknown_fields(self) -> None:
        for name, column in named_fields(self.search_query.query_string):
            if not (name.startswith("_") or "*" in name or self.fields.has(name)):
                raise UsageError(
                    f"{self.fields.where} has no field {name}, which the query names at column {column}: correct it, or"
                    f" write {name}\\: to search for the word.{did_you_mean(name, self.fields.definitions)}"
                )

    def _default_fields(self) -> tuple[str, ...]:
        return self.fields.texts or ("*",)

    def _filters(self) -> list[JsonObject]:
        query = self.search_query
        where = [condition_filter(condition, self.fields, self.now) for condition in query.where]
        shorthands = [
            any_value_filter(self._shorthand_field(name), values, self.fields, self.now)
            for name, values in query.shorthands.items()
        ]
        return [*self._time_filters(), *where, *shorthands]

    def _time_filters(self) -> list[JsonObject]:
        since, until = self.search_query.since, self.search_query.until
        if since and until and since >= until:
            raise UsageError(f"--since {since:%F %T} is not before --until {until:%F %T}: swap them, or leave one out.")
        limits = (("gte", since), ("lt", until))
        bounds: JsonObject = {bound: epoch_milliseconds(moment) for bound, moment in limits if moment}
        if not bounds:
            return []
        return [{"range": {self.time("--since"): {**bounds, "format": "epoch_millis"}}}]

    def _shorthand_field(self, name: str) -> str:
        field = self.hints.shorthands.get(name)
        if field is None:
            raise UsageError(
                f"There is no option --{name}, and {self.fields.where} has no such shorthand: see --help, or use"
                f" --where.{did_you_mean(name, self.hints.shorthands)}"
            )
        return self.fields.keyword(field) or field if field in self.fields.definitions else field

    def _sort_clause(self, name: str) -> Json:
        field, order = name.lstrip("-+"), "desc" if name.startswith("-") else "asc"
        if field in {"_score", "_doc", "_shard_doc"}:
            return {field: {"order": order}}
        sortable = self.fields.sortable(field, "--sort")
        # Another index of the alias may lack the field; documents without it come last in either order.
        return {sortable: {"order": order, "unmapped_type": self.fields.type(sortable)}}

    def _source_field(self, name: str) -> str:
        """The field as `_source` has it: the parent of a sub-field, else the field itself."""
        self.fields.type(name)
        return name.rpartition(".")[0] if self.fields.is_sub_field(name) else name
