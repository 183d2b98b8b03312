"""Summaries as people read them, with bars, and as JSON or CSV."""

import csv
import sys
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo

import orjson
import typer
from rich.bar import Bar
from rich.console import Console
from rich.table import Table as Grid

from indexer.cli.render_hits import on_terminal, safe_text
from indexer.model.json import Json, JsonObject
from indexer.search.summary import Summary

__all__ = ["draw_summary", "histogram_time", "print_summary", "shown_number"]

_BAR = 40


def draw_summary(summary: Summary, zone: tzinfo | None) -> None:
    """Draw a summary.

    Args:
        summary: what matched.
        zone: the time zone of the histogram.
    """
    console = Console(highlight=False)
    for name, values in summary.top.items():
        bars = [(safe_text(str(value)), count) for value, count in values]
        others = summary.others[name]
        console.print(_bars(name, bars, f"and {others:,} with other values" if others else ""))
    for name, one in summary.stats.items():
        grid = Grid(title=name, title_justify="left", box=None, header_style="bold", title_style="bold", pad_edge=False)
        for what in asdict(one):
            grid.add_column(what, justify="right")
        grid.add_row(*map(shown_number, asdict(one).values()))
        console.print(grid)
    if summary.histogram:
        console.print(_bars("time", [(histogram_time(at, zone), count) for at, count in summary.histogram], ""))


def _bars(title: str, values: list[tuple[str, int]], last: str) -> Grid:
    grid = Grid(title=title, box=None, show_header=False, title_justify="left", title_style="bold", pad_edge=False)
    grid.add_column(overflow="fold")
    grid.add_column(justify="right")
    most = max((count for _, count in values), default=1) or 1
    for value, count in values:
        grid.add_row(value, f"{count:,}", Bar(most, 0, count, width=_BAR, color="cyan"))
    if last:
        grid.add_row(last)
    return grid


def print_summary(summary: Summary, output: str, zone: tzinfo | None) -> None:
    """Print a summary: as tables, without bars where stdout is no terminal, or as JSON or CSV.

    Args:
        summary: what matched.
        output: as for hits; `raw` is as `table`.
        zone: the time zone of the histogram.
    """
    if output in {"json", "ndjson"}:
        indent = orjson.OPT_INDENT_2 if output == "json" else 0
        sys.stdout.buffer.write(orjson.dumps(_object(summary, zone), option=indent | orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    rows = _rows(summary, zone)
    if output == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows([("what", "value", "count"), *rows])
        return
    if on_terminal():
        draw_summary(summary, zone)
    else:
        sys.stdout.writelines(f"{what}\t{value}\t{count}\n" for what, value, count in rows)
    typer.echo(f"{summary.total:,} hits", err=True)


def _rows(summary: Summary, zone: tzinfo | None) -> list[tuple[str, str, str]]:
    """Three values a line, whatever they tell of: for grep, cut and awk."""
    tops = [(name, safe_text(str(value)), str(count)) for name, bars in summary.top.items() for value, count in bars]
    stats = [
        (name, what, shown_number(value)) for name, one in summary.stats.items() for what, value in asdict(one).items()
    ]
    return tops + stats + [("histogram", histogram_time(at, zone), str(count)) for at, count in summary.histogram]


def shown_number(value: float | None) -> str:
    """A number as a person reads it, to six digits; nothing for none."""
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.6g}"


def histogram_time(at: int, zone: tzinfo | None) -> str:
    """Where a bar of the histogram begins."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _object(summary: Summary, zone: tzinfo | None) -> JsonObject:
    shown: JsonObject = {"total": summary.total}
    if summary.top:
        tops: dict[str, list[Json]] = {
            name: [{"value": value, "count": count} for value, count in bars] for name, bars in summary.top.items()
        }
        shown["top"] = dict(tops)
    if summary.stats:
        shown["stats"] = {name: asdict(one) for name, one in summary.stats.items()}
    if summary.interval:
        shown["histogram"] = [{"time": histogram_time(at, zone), "count": count} for at, count in summary.histogram]
    return shown
