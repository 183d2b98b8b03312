"""Summaries on a terminal: values and times with bars, statistics as a table."""

from dataclasses import asdict
from datetime import tzinfo

from rich.bar import Bar
from rich.console import Console
from rich.table import Table as Grid

from indexer.cli.show_hits import plain
from indexer.cli.show_summary import number, time_of
from indexer.model.summary import Summary

__all__ = ["draw_summary"]

_BAR = 40


def draw_summary(summary: Summary, zone: tzinfo | None) -> None:
    """Draw a summary.

    Args:
        summary: what matched.
        zone: the time zone of the histogram.
    """
    console = Console(highlight=False)
    for name, values in summary.top.items():
        bars = [(plain(str(value)), count) for value, count in values]
        others = summary.others[name]
        console.print(_bars(name, bars, f"and {others:,} with other values" if others else ""))
    for name, one in summary.stats.items():
        grid = Grid(title=name, title_justify="left", box=None, header_style="bold", title_style="bold", pad_edge=False)
        for what in asdict(one):
            grid.add_column(what, justify="right")
        grid.add_row(*map(number, asdict(one).values()))
        console.print(grid)
    if summary.histogram:
        console.print(_bars("time", [(time_of(at, zone), count) for at, count in summary.histogram], ""))


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
