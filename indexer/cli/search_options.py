"""The options of `indexer search`, and the query that they make."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import typer

from indexer.cli import completion
from indexer.errors import UsageError
from indexer.query.condition import parse_condition
from indexer.query.moment import parse_time
from indexer.query.query import SearchQuery
from indexer.query.summary import SummaryRequest, parse_interval

__all__ = ["OutputFormat", "SearchOptions", "split_shorthands"]

_SIZE: Final = 10

_QUERY, _OUTPUT, _AMOUNT = "Query", "Output", "How much"


class OutputFormat(StrEnum):
    """How hits are printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """The options of `indexer search` that are no settings; each field's help says what it is."""

    query: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to search for. [default: everything]",
            autocompletion=completion.complete_query,
            show_default=False,
        ),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            help="Start of the range: 2h, 15m, yesterday or an ISO time.", rich_help_panel=_QUERY, metavar="TIME"
        ),
    ] = None
    until: Annotated[
        str | None, typer.Option(help="End of the range, exclusive.", rich_help_panel=_QUERY, metavar="TIME")
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="FIELD=VALUE, or with !=, >, >=, <, <= or ~ (words); * is any value.",
            rich_help_panel=_QUERY,
            metavar="CONDITION",
            autocompletion=completion.complete_condition,
        ),
    ] = None
    sort: Annotated[
        str | None,
        typer.Option(
            help="Fields to sort by; - for descending. [default: best match first]",
            rich_help_panel=_OUTPUT,
            metavar="A,-B",
            autocompletion=completion.complete_sort,
        ),
    ] = None
    fields: Annotated[
        str | None,
        typer.Option(
            help="Show only these fields.",
            rich_help_panel=_OUTPUT,
            metavar="A,B",
            autocompletion=completion.complete_fields,
        ),
    ] = None
    output: Annotated[OutputFormat, typer.Option("--output", "-o", help="Output format.", rich_help_panel=_OUTPUT)] = (
        OutputFormat.TABLE
    )
    top: Annotated[
        list[str] | None,
        typer.Option(
            help="Most frequent values of a field.",
            rich_help_panel=_OUTPUT,
            metavar="FIELD",
            autocompletion=completion.complete_field,
        ),
    ] = None
    stats: Annotated[
        list[str] | None,
        typer.Option(
            help="min, max, mean, p50, p95 and p99 of a field.",
            rich_help_panel=_OUTPUT,
            metavar="FIELD",
            autocompletion=completion.complete_field,
        ),
    ] = None
    histogram: Annotated[
        str | None,
        typer.Option(help="Hits over time, in bars of 30s, 5m, 1h, 1d.", rich_help_panel=_OUTPUT, metavar="INTERVAL"),
    ] = None
    count: Annotated[bool, typer.Option("--count", help="Print only the number of hits.", rich_help_panel=_OUTPUT)] = (
        False
    )
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the request instead of sending it.", rich_help_panel=_OUTPUT)
    ] = False
    size: Annotated[
        int | None,
        typer.Option(
            "--size", "-n", help="Most hits to print. [default: 10]", min=0, max=10_000, rich_help_panel=_AMOUNT
        ),
    ] = None
    all_hits: Annotated[bool, typer.Option("--all", help="Print every hit, however many.", rich_help_panel=_AMOUNT)] = (
        False
    )
    follow: Annotated[
        bool, typer.Option("--follow", help="Print new hits as they arrive, until Ctrl-C.", rich_help_panel=_AMOUNT)
    ] = False
    exact: Annotated[
        bool, typer.Option("--exact", help="Count all hits, beyond 10,000 too.", rich_help_panel=_AMOUNT)
    ] = False

    @property
    def page_size(self) -> int:
        """How many hits to print."""
        return _SIZE if self.size is None else self.size

    @property
    def summary(self) -> SummaryRequest:
        """The requested summary; false where there is none."""
        interval = parse_interval(self.histogram) if self.histogram else None
        return SummaryRequest(_names(self.top), _names(self.stats), interval, max(1, self.page_size))

    def search_query(self, now: datetime) -> SearchQuery:
        """The query; relative times count from `now`."""
        words, shorthands = split_shorthands(self.query or [])
        return SearchQuery(
            query_string=" ".join(words) or "*",
            since=parse_time(self.since, now) if self.since else None,
            until=parse_time(self.until, now, "--until") if self.until else None,
            where=tuple(map(parse_condition, self.where or ())),
            shorthands=shorthands,
            sort=_names([self.sort or ""]),
            fields=_names([self.fields or ""]),
        )

    def refuse_conflicts(self) -> None:
        """Refuse options that exclude each other.

        Raises:
            UsageError: for two such options.
        """
        given = [
            name
            for name, is_given in (
                ("--count", self.count),
                ("--all", self.all_hits),
                ("--follow", self.follow),
                ("--top", self.top),
                ("--stats", self.stats and not self.top),
                ("--histogram", self.histogram and not self.top and not self.stats),
            )
            if is_given
        ]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} are mutually exclusive.")


def split_shorthands(words: list[str]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Separate shorthands from the words of the query: `--level ERROR` or `--level=ERROR`, several values by commas.

    Raises:
        UsageError: for a shorthand without a value.
    """
    query: list[str] = []
    shorthands: dict[str, tuple[str, ...]] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--") or word == "--":
            query.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        value = value if equals else next(rest, "")
        if not value or value.startswith("--"):
            raise UsageError(f"--{name} requires a value; write --{name} VALUE, several values separated by commas.")
        shorthands[name] = (*shorthands.get(name, ()), *value.split(","))
    return query, shorthands


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for names in given or () for name in names.split(",") if name.strip())
