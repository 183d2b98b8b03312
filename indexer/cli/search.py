"""`indexer search`: search the indexed logs."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event

import orjson
import typer

import indexer.cli.lean_client  # noqa: F401  # first: whatever imports the client below gets the lean one
from indexer.cli.command import command
from indexer.cli.render.hits import hit_printer, on_terminal, print_count, shown_time
from indexer.cli.render.summary import print_summary
from indexer.cli.search_options import OutputFormat, SearchOptions
from indexer.option import OptionGroup
from indexer.query.export import follow, iter_hits
from indexer.query.hit import Hit
from indexer.query.query import SearchQuery
from indexer.query.search import Search
from indexer.query.summary import Summary
from indexer.settings import Settings
from indexer.sink.client import connect

__all__ = ["search_command"]


@command("index", "as_json", OptionGroup.TARGET)
def search_command(settings: Settings, options: SearchOptions) -> int:
    """Takes a Lucene query string; all of its words must match.

    Examples:
      indexer search 'timeout AND service:payments' --since 2h --level ERROR -n 20
      indexer search '반도체 개발'
      indexer search --where status=500 --where 'latency_ms>300' --top service
      indexer search --histogram 5m --since 2h
      indexer search 'checkout' --follow
      indexer search 'service:auth' --all -o ndjson > auth.ndjson

    In a query: `two words` (both), `a OR b`, `NOT a`, `"a phrase"`, `time*`, `t?me`, `timeuot~` (allows for a typo),
    `status:>=500`, `level:(ERROR OR WARN)`. Words without a field are searched for in the text fields.

    Options that are not listed are shorthands of the index, defined in its mapping file, such as `--level ERROR,WARN`,
    `--service payments` or `--host web1`; without a mapping file, the names of its keyword fields.

    Exit codes: 0 something matched, 1 nothing matched, 2 refused.
    """
    options.refuse_conflicts()
    output = OutputFormat.NDJSON if settings.as_json else options.output
    with connect(settings.target_access) as cluster:
        search = Search(cluster, settings.alias)
        query = options.search_query(search.now)
        if options.explain:
            return _explain(search, query, options)
        if options.count:
            total = search.count(query)
            typer.echo(total)
            return 0 if total else 1
        if options.summary:
            summary = search.summary(query, options.summary)
            _show_summary(search, summary, output)
            return 0 if summary.total else 1
        return _show_hits(search, query, options, output)


def _show_hits(search: Search, query: SearchQuery, options: SearchOptions, output: OutputFormat) -> int:
    show = _printer(search, query, output, following=options.follow)
    if options.follow:
        with suppress(KeyboardInterrupt):  # the way to end it
            show(follow(search, query, options.page_size, Event()))
        return 0
    if options.all_hits:
        return 0 if show(_all_hits(search, query)) else 1
    found = search.page(query, options.page_size, exact=options.exact, highlight=output is OutputFormat.TABLE)
    show(iter(found.hits))
    print_count(found)
    if not found.total and query.since:
        _print_newest(search)
    return 0 if found.total else 1


def _printer(
    search: Search, query: SearchQuery, output: OutputFormat, *, following: bool
) -> Callable[[Iterator[Hit]], int]:
    hints = search.hints
    columns = query.fields or hints.columns
    if output is OutputFormat.TABLE and on_terminal():
        from indexer.cli.render.terminal_tables import draw_hits  # noqa: PLC0415  # imports rich: a pipe does without

        return lambda hits: draw_hits(hits, columns, hints, following=following)
    return hit_printer(output, hints, columns, query.fields[0] if query.fields else hints.message, following=following)


def _show_summary(search: Search, summary: Summary, output: OutputFormat) -> None:
    if output in {OutputFormat.TABLE, OutputFormat.RAW} and on_terminal():
        from indexer.cli.render.terminal_tables import draw_summary  # noqa: PLC0415  # as above

        draw_summary(summary, search.now.tzinfo)
        typer.echo(f"{summary.total:,} hits", err=True)
    else:
        print_summary(summary, output, search.now.tzinfo)


def _print_newest(search: Search) -> None:
    """Nothing matched since then: show whether that is the query's fault, or nothing was indexed since then."""
    time = search.builder(SearchQuery()).time("--since")
    newest = search.page(SearchQuery(sort=(f"-{time}",), fields=(time,)), 1).hits
    if newest:
        typer.echo(f"The newest document is from {shown_time(newest[0].value(time))}.", err=True)


def _all_hits(search: Search, query: SearchQuery) -> Iterator[Hit]:
    from indexer.cli.render.progress import hit_progress  # noqa: PLC0415  # imports rich: most searches do without

    with hit_progress() as (begin, advance):
        for count, hit in enumerate(iter_hits(search, query, on_total=begin)):
            advance(count)
            yield hit


def _explain(search: Search, query: SearchQuery, options: SearchOptions) -> int:
    if options.summary:
        body = search.summary_body(query, options.summary)
    else:
        size = 0 if options.count else options.page_size
        body = search.page_body(query, size, exact=options.exact or options.count)
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2))
    return 0
