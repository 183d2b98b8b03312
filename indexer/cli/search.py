"""`indexer search`: ask the indexed logs."""

import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Event
from types import ModuleType
from typing import Annotated, Final, cast

import typer

from indexer.cli import completion
from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.cli.render_hits import print_count, printer, shown_time
from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.search.condition import parse_condition, parse_time
from indexer.search.hit import Hit
from indexer.search.query import SearchQuery
from indexer.search.search import Search
from indexer.search.summary import SummaryRequest, parse_interval
from indexer.settings import Settings
from indexer.sink.client import connect

__all__ = ["SearchOptions", "import_client", "run_search", "search_command", "shorthands"]

_SIZE = 10


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The options of `indexer search`, as given."""

    words: list[str]
    since: str | None
    until: str | None
    where: list[str]
    sort: str | None
    size: int | None
    fields: str | None
    output: str
    count: bool
    exact: bool
    top: list[str]
    stats: list[str]
    histogram: str | None
    explain: bool
    every: bool
    follow: bool

    @property
    def summary(self) -> SummaryRequest:
        """What is asked for in numbers."""
        interval = parse_interval(self.histogram) if self.histogram else None
        size = _SIZE if self.size is None else max(1, self.size)
        return SummaryRequest(_names(self.top), _names(self.stats), interval, size)

    def search_query(self, now: datetime) -> SearchQuery:
        """The question that the options ask."""
        words, short = shorthands(self.words)
        return SearchQuery(
            query=" ".join(words) or "*",
            since=parse_time(self.since, now) if self.since else None,
            until=parse_time(self.until, now, "--until") if self.until else None,
            where=tuple(map(parse_condition, self.where)),
            shorthands=short,
            sort=_names([self.sort or ""]),
            fields=_names([self.fields or ""]),
        )

    def refuse_together(self) -> None:
        """Refuse options that exclude each other."""
        given = [
            name
            for name, wanted in (
                ("--count", self.count),
                ("--all", self.every),
                ("--follow", self.follow),
                ("--top, --stats and --histogram", bool(self.top or self.stats or self.histogram)),
            )
            if wanted
        ]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} cannot be asked for at once: give one of them.")


def run_search(wanted: SearchOptions, settings: Settings) -> int:
    """Ask, print and return the exit code."""
    wanted.refuse_together()
    with connect(settings.target_access) as cluster:
        search = Search(cluster, settings.index or "logs")
        search_query = wanted.search_query(search.now)
        if wanted.explain:
            return _explain(search, search_query, wanted)
        if wanted.count:
            total = search.count(search_query)
            typer.echo(total)
            return 0 if total else 1
        if wanted.summary:
            from indexer.cli.render_summary import print_summary

            summary = search.summary(search_query, wanted.summary)
            print_summary(summary, wanted.output, search.now.tzinfo)
            return 0 if summary.total else 1
        return _hits(search, search_query, wanted)


def shorthands(words: list[str]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Tell short-hands from the words of the query: `--level ERROR` and `--level=ERROR`, several by commas.

    Raises:
        UsageError: for a short-hand without a value.
    """
    query: list[str] = []
    found: dict[str, tuple[str, ...]] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--") or word == "--":
            query.append(word)
            continue
        name, given, value = word[2:].partition("=")
        value = value if given else next(rest, "")
        if not value or value.startswith("--"):
            raise UsageError(f"--{name} needs a value: write --{name} VALUE, several values separated by commas.")
        found[name] = (*found.get(name, ()), *value.split(","))
    return query, found


def _hits(search: Search, search_query: SearchQuery, wanted: SearchOptions) -> int:
    show = printer(wanted.output, search.hints, search_query.fields, following=wanted.follow)
    if wanted.follow:
        with suppress(KeyboardInterrupt):  # how one ends it
            show(_followed(search, search_query, _SIZE if wanted.size is None else wanted.size))
        return 0
    if wanted.every:
        return 0 if show(_all(search, search_query)) else 1
    size = _SIZE if wanted.size is None else wanted.size
    found = search.page(search_query, size, exact=wanted.exact, mark=wanted.output == "table")
    show(iter(found.hits))
    print_count(found)
    if not found.total and search_query.since:
        _tell_newest(search)
    return 0 if found.total else 1


def _tell_newest(search: Search) -> None:
    """Nothing since then: is it the question, or has nothing been indexed for a while?"""
    time = search.builder(SearchQuery()).time("--since")
    newest = search.page(SearchQuery(sort=(f"-{time}",), fields=(time,)), 1).hits
    if newest:
        typer.echo(f"The newest document is of {shown_time(newest[0].value(time))}.", err=True)


def _followed(search: Search, search_query: SearchQuery, last: int) -> Iterator[Hit]:
    from indexer.search.export import follow

    return follow(search, search_query, last, Event())


def _all(search: Search, search_query: SearchQuery) -> Iterator[Hit]:
    from indexer.cli.progress import hit_progress
    from indexer.search.export import every_hit

    with hit_progress() as (begin, advance):
        for count, hit in enumerate(every_hit(search, search_query, begin=begin)):
            advance(count)
            yield hit


def _explain(search: Search, search_query: SearchQuery, wanted: SearchOptions) -> int:
    import orjson

    body: JsonObject
    if wanted.summary:
        body = search.summary_body(search_query, wanted.summary)
    else:
        size = 0 if wanted.count else _SIZE if wanted.size is None else wanted.size
        body = search.body(search_query, size, exact=wanted.exact or wanted.count)
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2))
    return 0


def _names(given: list[str]) -> tuple[str, ...]:
    return tuple(name.strip() for names in given for name in names.split(",") if name.strip())


_ASYNC: Final = "elasticsearch._async.client"
"""As large as all the rest of the client; nothing but the name is asked of it."""

_OPTIONAL: Final = ("aiohttp", "httpx", "pyarrow", "requests")
"""What the client imports where somebody happens to have installed it, to be another transport or serializer."""


def import_client() -> None:
    """Import `elasticsearch`; a client that is made otherwise than known here is imported as a whole."""
    stubs: dict[str, ModuleType | None] = {_ASYNC: _Asynchronous(_ASYNC), **dict.fromkeys(_OPTIONAL)}
    left_out = {name: stub for name, stub in stubs.items() if name not in sys.modules}
    modules = cast("dict[str, ModuleType | None]", sys.modules)  # None: such an import fails, as of a missing package
    modules.update(left_out)
    try:
        import elasticsearch  # noqa: F401  # for those who import it after this
    finally:
        for name in left_out:
            del modules[name]


class _Asynchronous(ModuleType):
    class AsyncElasticsearch:
        """Stands for the class, of which nothing here makes an instance."""


EXAMPLES = """
Search an alias with a Lucene query string; words must all match.

Examples:

  indexer search 'timeout AND service:payments' --since 2h --level ERROR --sort -ts -n 20

  indexer search '반도체 개발'

  indexer search --where status=500 --where 'latency_ms>300' --top service --histogram 5m

  indexer search 'checkout' --follow

  indexer search 'service:auth' --all -o ndjson > auth.ndjson

In a query: `two words` both, `a OR b`, `NOT a`, `"a phrase"`, `time*` a prefix, `t?me`, `timeuot~` with a typing
mistake, `status:>=500`, `level:(ERROR OR WARN)`, `message.keyword:"the whole text"`. Words without a field are looked
for in the text fields.

Options that are not listed are short-hands of the index, from its mapping file: `--level ERROR,WARN`,
`--service payments`, `--host`, and so on; without a mapping file, the names of its keyword fields.

Exit code 1 where nothing matched, like grep; 2 for a question that cannot be asked.
"""

_WHAT, _SHOW, _DEEP = "What matches", "What is shown", "How far"


class Output(StrEnum):
    """How hits are printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    RAW = "raw"


@command_errors
def search_command(  # noqa: D103  # EXAMPLES is its help
    query: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to look for. [default: everything]", autocompletion=completion.complete_query, show_default=False
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(help="The alias. [default: logs]", metavar="NAME", autocompletion=completion.complete_index),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="2h, 15m, yesterday, an ISO time.", rich_help_panel=_WHAT, metavar="TIME")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Likewise.", rich_help_panel=_WHAT, metavar="TIME")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="FIELD=VALUE, or != > >= < <= ~ (words); * is any value.",
            rich_help_panel=_WHAT,
            metavar="CONDITION",
            autocompletion=completion.complete_condition,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Fields, - for the largest first. [default: the best first]",
            rich_help_panel=_SHOW,
            metavar="A,-B",
            autocompletion=completion.complete_sort,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", "-n", help="How many at most. [default: 10]", min=0, max=10_000, rich_help_panel=_SHOW),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            help="Only these fields.", rich_help_panel=_SHOW, metavar="A,B", autocompletion=completion.complete_fields
        ),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="The form.", rich_help_panel=_SHOW)] = Output.TABLE,
    as_json: Annotated[
        bool | None,
        typer.Option("--json", help="The same as -o ndjson.", rich_help_panel=_SHOW, show_default=False),
    ] = None,
    count: Annotated[bool, typer.Option(help="Only how many match.", rich_help_panel=_SHOW)] = False,  # noqa: FBT002  # a flag is a boolean
    exact: Annotated[bool, typer.Option(help="Count beyond 10,000 too.", rich_help_panel=_SHOW)] = False,  # noqa: FBT002  # as above
    top: Annotated[
        list[str] | None,
        typer.Option(
            help="The most frequent values.",
            rich_help_panel=_SHOW,
            metavar="FIELD",
            autocompletion=completion.complete_field,
        ),
    ] = None,
    stats: Annotated[
        list[str] | None,
        typer.Option(
            help="min, max, mean, p50, p95, p99.",
            rich_help_panel=_SHOW,
            metavar="FIELD",
            autocompletion=completion.complete_field,
        ),
    ] = None,
    histogram: Annotated[
        str | None, typer.Option(help="Bars over time: 30s, 5m, 1h, 1d.", rich_help_panel=_SHOW, metavar="INTERVAL")
    ] = None,
    explain: Annotated[bool, typer.Option(help="Show the request; ask nothing.", rich_help_panel=_SHOW)] = False,  # noqa: FBT002  # as above
    every: Annotated[bool, typer.Option("--all", help="Every match, however many.", rich_help_panel=_DEEP)] = False,  # noqa: FBT002  # as above
    follow: Annotated[bool, typer.Option(help="New matches as they arrive.", rich_help_panel=_DEEP)] = False,  # noqa: FBT002  # as above
    target: o.Target = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    target_cert: o.TargetCert = None,
    target_cert_key: o.TargetCertKey = None,
    target_verify: o.TargetVerify = None,
    target_timeout: o.TargetTimeout = None,
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    reach = o.of_target(locals())
    # What is imported stays: to look for garbage in it meanwhile costs a tenth of the start.
    gc.disable()
    import_client()
    from indexer.settings import load_settings

    gc.enable()
    settings = load_settings(index=index, as_json=as_json, **reach)
    wanted = SearchOptions(
        words=query or [],
        since=since,
        until=until,
        where=where or [],
        sort=sort,
        size=size,
        fields=fields,
        output="ndjson" if settings.as_json else output.value,
        count=count,
        exact=exact,
        top=top or [],
        stats=stats or [],
        histogram=histogram,
        explain=explain,
        every=every,
        follow=follow,
    )
    return run_search(wanted, settings)
