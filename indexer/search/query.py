"""A question to the indexed logs, and how Elasticsearch is asked it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import IndexFields
from indexer.model.mapping.search_hints import SearchHints
from indexer.model.table.table import nearest
from indexer.search.condition import Condition, epoch_milliseconds, equals, filter_of
from indexer.search.hit import MARK_END, MARK_START
from indexer.search.query_string import named_fields, with_prefixes

__all__ = ["QueryBuilder", "SearchQuery"]

_MARKED_CHARACTERS = 100_000
"""Of a longer text only so much is highlighted: Elasticsearch refuses beyond a million."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is looked for.

    Attributes:
        query: words, in Lucene's query string syntax; `*` or nothing for everything.
        since: the earliest time, inclusive.
        until: the latest time, exclusive.
        where: conditions, all of which must hold.
        shorthands: values by short-hand: `{"level": ("ERROR", "WARN")}`.
        sort: fields, with `-` for the largest first; empty for the best first, or without words for the newest.
        fields: what is returned of a document; empty for all.
    """

    query: str = "*"
    since: datetime | None = None
    until: datetime | None = None
    where: tuple[Condition, ...] = ()
    shorthands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryBuilder:
    """A question put to an index.

    Attributes:
        question: the question.
        fields: the index's fields.
        hints: what the index says of itself.
        now: the present, in the user's time zone.
    """

    search_query: SearchQuery
    fields: IndexFields
    hints: SearchHints
    now: datetime

    def query(self, *, as_written: bool = False) -> JsonObject:
        """The body's `query`.

        Args:
            as_written: leave the query string as the user wrote it, to find out where it breaks.

        Raises:
            UsageError: for an unknown field, short-hand or value.
        """
        filters: list[Json] = [*self._filters()]
        words = self._words(as_written=as_written)
        if not filters:
            return words
        must: JsonObject = {} if "match_all" in words else {"must": words}
        return {"bool": {**must, "filter": filters}}

    def sort(self) -> list[Json]:
        """The body's `sort`; empty for the best first."""
        named = self.search_query.sort
        if not named and self._everything and self.hints.time:
            named = (f"-{self.hints.time}",)
        return [self._order(name) for name in named]

    def source(self) -> Json:
        """The body's `_source`: what is returned of a document."""
        return [*dict.fromkeys(self._whole(name) for name in self.search_query.fields)] or True

    def highlight(self) -> JsonObject:
        """The body's `highlight`."""
        marked: JsonObject = {name: {} for name in self._default_fields() if name != "*"}
        return {
            "fields": marked,
            # Elasticsearch does not mark what it found by `index_prefixes`.
            **({"highlight_query": self._words(star="**")} if self.fields.prefixed else {}),
            "number_of_fragments": 0,
            "max_analyzed_offset": _MARKED_CHARACTERS,
            "pre_tags": [MARK_START],
            "post_tags": [MARK_END],
        }

    @property
    def zone(self) -> str:
        """The user's time zone as an offset: `+09:00`."""
        return self.now.isoformat()[-6:] if self.now.utcoffset() else "+00:00"

    def time(self, option: str) -> str:
        """The field of the time.

        Raises:
            UsageError: where the index has none that can be told.
        """
        if self.hints.time is None:
            raise UsageError(
                f"{option} needs a time, and {self.fields.where} does not say which field it is: name it in the mapping"
                " file under `search: {time: FIELD}` and reindex, or use --where."
            )
        return self.hints.time

    @property
    def _everything(self) -> bool:
        return self.search_query.query.strip() in {"", "*", "*:*"}

    def _words(self, *, as_written: bool = False, star: str = "*") -> JsonObject:
        query = self.search_query.query
        if self._everything:
            return {"match_all": {}}
        self._refuse_unknown()
        asked: JsonObject = {
            "query": query if as_written else with_prefixes(query, self.fields.prefixed, star),
            "fields": list(self._default_fields()),
            "default_operator": "AND",
            "lenient": True,
            "time_zone": self.zone,
        }
        return {"query_string": asked}

    def _refuse_unknown(self) -> None:
        for name, column in named_fields(self.search_query.query):
            if not (name.startswith("_") or "*" in name or self.fields.holds(name)):
                raise UsageError(
                    f"{self.fields.where} has no field {name}, which the query names at column {column}: correct it, or"
                    f" write {name}\\: to look for the word.{nearest(name, self.fields.definitions)}"
                )

    def _default_fields(self) -> tuple[str, ...]:
        return self.fields.texts or ("*",)

    def _filters(self) -> list[JsonObject]:
        search_query = self.search_query
        times = [*self._times()]
        where = [filter_of(condition, self.fields, self.now) for condition in search_query.where]
        short = [
            equals(self._short(name), values, self.fields, self.now) for name, values in search_query.shorthands.items()
        ]
        return times + where + short

    def _times(self) -> list[JsonObject]:
        since, until = self.search_query.since, self.search_query.until
        if since and until and since >= until:
            raise UsageError(f"--since {since:%F %T} is not before --until {until:%F %T}: swap them, or leave one out.")
        given = (("gte", since), ("lt", until))
        bounds: JsonObject = {bound: epoch_milliseconds(moment) for bound, moment in given if moment}
        if not bounds:
            return []
        return [{"range": {self.time("--since"): {**bounds, "format": "epoch_millis"}}}]

    def _short(self, name: str) -> str:
        field = self.hints.shorthands.get(name)
        if field is None:
            raise UsageError(
                f"There is no option --{name}, and {self.fields.where} has no short-hand of that name: see --help,"
                f" or use --where.{nearest(name, self.hints.shorthands)}"
            )
        return self.fields.keyword(field) or field if field in self.fields.definitions else field

    def _order(self, name: str) -> Json:
        if name.lstrip("-+") in {"_score", "_doc", "_shard_doc"}:
            return {name.lstrip("-+"): {"order": "desc" if name.startswith("-") else "asc"}}
        field = self.fields.exact(name.lstrip("-+"), "--sort")
        # Another index of the alias may not have the field; a document without it comes last either way.
        return {field: {"order": "desc" if name.startswith("-") else "asc", "unmapped_type": self.fields.type(field)}}

    def _whole(self, name: str) -> str:
        """The field that `_source` has: a sub-field's parent."""
        self.fields.type(name)
        outer, _, own = name.rpartition(".")
        subs = self.fields.definitions.get(outer, {}).get("fields")
        return outer if isinstance(subs, dict) and own in subs else name
