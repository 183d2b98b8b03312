"""Hits on a terminal: a table fitted to it, levels in colour, what matched highlighted."""

from collections.abc import Iterator

import orjson
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from indexer.cli.show_hits import plain, shown
from indexer.model.search import MARK_END, MARK_START, Hit
from indexer.model.search_hints import SearchHints

__all__ = ["draw_hits"]

_LEVELS = {
    "FATAL": "bold red",
    "CRITICAL": "bold red",
    "ERROR": "red",
    "WARN": "yellow",
    "WARNING": "yellow",
    "DEBUG": "dim",
    "TRACE": "dim",
}
_MATCH = "bold black on yellow"
_SCREEN = 1_000
"""Hits of one table; of more, each so many are fitted by themselves."""


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
    console = Console(highlight=False)
    count, screen = 0, 1 if following else _SCREEN
    while batch := [hit for _, hit in zip(range(screen), hits, strict=False)]:
        grid = Grid.grid(padding=(0, 2, 0, 0))
        for name in columns or ("",):
            grid.add_column(
                overflow="fold", no_wrap=name in (hints.time, hints.level), ratio=1 if name == hints.message else None
            )
        for hit in batch:
            grid.add_row(*_cells(hit, columns, hints))
        console.print(grid)
        count += len(batch)
    return count


def _cells(hit: Hit, columns: tuple[str, ...], hints: SearchHints) -> list[Text]:
    if not columns:
        return [Text(plain(orjson.dumps(hit.source).decode()))]
    level = hit.value(hints.level) if hints.level else None
    return [_cell(hit, name, hints, str(level)) for name in columns]


def _cell(hit: Hit, name: str, hints: SearchHints, level: str) -> Text:
    if name in hit.marked:
        return _marked(hit.marked[name])
    text = plain(shown(hit, name, hints))
    if name == hints.level:
        return Text(text, style=_LEVELS.get(level.upper(), ""))
    if name == hints.time:
        return Text(text, style="dim")
    return Text(text, style="" if name == hints.message else "cyan")


def _marked(text: str) -> Text:
    line = Text()
    for part in plain(text).split(MARK_START):
        match, closed, rest = part.partition(MARK_END)
        line.append(match, style=_MATCH if closed else "")
        line.append(rest)
    return line
