"""Hits and summaries drawn on a terminal."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import tzinfo
from itertools import islice
from typing import Final

import orjson
from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from indexer.cli.render.console import plain_console
from indexer.cli.render.hits import safe_text, shown_value
from indexer.cli.render.summary import histogram_time, shown_number
from indexer.model.mapping.search_hints import SearchHints
from indexer.query.hit import MARK_END, MARK_START, Hit
from indexer.query.summary import Summary

__all__ = ["draw_hits", "draw_summary"]

_LEVELS: Final = {
    "FATAL": "bold red",
    "CRITICAL": "bold red",
    "ERROR": "red",
    "WARN": "yellow",
    "WARNING": "yellow",
    "DEBUG": "dim",
    "TRACE": "dim",
}
_MATCH: Final = "bold black on yellow"
_BATCH: Final = 1_000
"""Hits of one table; more are drawn in tables of this many, each with columns of its own widths."""

_BAR: Final = 40


def draw_hits(hits: Iterator[Hit], columns: tuple[str, ...], hints: SearchHints, *, following: bool = False) -> int:
    """Draw hits, a line each, longer texts on several.

    Args:
        hits: the hits.
        columns: the fields of a line.
        hints: what the index says of itself.
        following: draw each hit at once.

    Returns:
        how many there were.
    """
    console = plain_console()
    count, size = 0, 1 if following else _BATCH
    while batch := list(islice(hits, size)):
        table = Table.grid(padding=(0, 2, 0, 0))
        for name in columns or ("",):
            table.add_column(
                overflow="fold", no_wrap=name in (hints.time, hints.level), ratio=1 if name == hints.message else None
            )
        for hit in batch:
            table.add_row(*_cells(hit, columns, hints))
        console.print(table)
        count += len(batch)
    return count


def _cells(hit: Hit, columns: tuple[str, ...], hints: SearchHints) -> list[Text]:
    if not columns:
        return [Text(safe_text(orjson.dumps(hit.source).decode()))]
    level = hit.value(hints.level) if hints.level else None
    return [_cell(hit, name, hints, str(level)) for name in columns]


def _cell(hit: Hit, name: str, hints: SearchHints, level: str) -> Text:
    if name in hit.highlights:
        return _marked(hit.highlights[name])
    text = safe_text(shown_value(hit, name, hints))
    if name == hints.level:
        return Text(text, style=_LEVELS.get(level.upper(), ""))
    if name == hints.time:
        return Text(text, style="dim")
    return Text(text, style="" if name == hints.message else "cyan")


def _marked(text: str) -> Text:
    line = Text()
    for part in safe_text(text).split(MARK_START):
        match, closed, rest = part.partition(MARK_END)
        line.append(match, style=_MATCH if closed else "")
        line.append(rest)
    return line


def draw_summary(summary: Summary, zone: tzinfo | None) -> None:
    """Draw a summary.

    Args:
        summary: what matched.
        zone: the time zone of the histogram.
    """
    console = plain_console()
    for name, values in summary.top.items():
        bars = [(safe_text(str(value)), count) for value, count in values]
        others = summary.others[name]
        console.print(_bars(name, bars, f"and {others:,} with other values" if others else ""))
    for name, statistics in summary.stats.items():
        table = Table(
            title=name, title_justify="left", box=None, header_style="bold", title_style="bold", pad_edge=False
        )
        for statistic in asdict(statistics):
            table.add_column(statistic, justify="right")
        table.add_row(*map(shown_number, asdict(statistics).values()))
        console.print(table)
    if summary.histogram:
        console.print(_bars("time", [(histogram_time(start, zone), count) for start, count in summary.histogram], ""))


def _bars(title: str, values: list[tuple[str, int]], last: str) -> Table:
    table = Table(title=title, box=None, show_header=False, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    highest = max((count for _, count in values), default=1) or 1
    for value, count in values:
        table.add_row(value, f"{count:,}", Bar(highest, 0, count, width=_BAR, color="cyan"))
    if last:
        table.add_row(last)
    return table
