"""Hits as people read them, and as programs do: table, json, ndjson, csv, raw."""

import csv
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain

import orjson
import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from indexer.model.json import Json, JsonObject
from indexer.model.mapping.search_hints import SearchHints
from indexer.search.hit import MARK_END, MARK_START, Hit, SearchResult

__all__ = ["draw_hits", "on_terminal", "print_count", "printer", "safe_text", "shown_time", "shown_value"]

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
        return [Text(safe_text(orjson.dumps(hit.source).decode()))]
    level = hit.value(hints.level) if hints.level else None
    return [_cell(hit, name, hints, str(level)) for name in columns]


def _cell(hit: Hit, name: str, hints: SearchHints, level: str) -> Text:
    if name in hit.marked:
        return _marked(hit.marked[name])
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


_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}
"""What a terminal would obey, as it is written in a program: a log line must not move the cursor."""

_BREAKS = {9: " ", 10: " ", 13: None}


def printer(
    output: str, hints: SearchHints, fields: tuple[str, ...], *, following: bool = False
) -> Callable[[Iterator[Hit]], int]:
    """How hits are printed; the function returns how many there were.

    Args:
        output: `table`, `json`, `ndjson`, `csv` or `raw`.
        hints: what the index says of itself.
        fields: the fields that were asked for; empty for those of the hints.
        following: print each hit at once.
    """
    columns = fields or hints.columns
    if output == "table" and on_terminal():
        return lambda hits: draw_hits(hits, columns, hints, following=following)
    return {
        "table": lambda hits: _lines(hits, columns, hints, flush=following),
        "json": lambda hits: _json(hits, flush=following),
        "ndjson": lambda hits: _ndjson(hits, flush=following),
        "csv": lambda hits: _csv(hits, columns),
        "raw": lambda hits: _raw(hits, hints.message if not fields else fields[0], flush=following),
    }[output]


def on_terminal() -> bool:
    """Whether stdout is a terminal, or to be treated as one; rich, which decides it, takes long to import."""
    if not (sys.stdout.isatty() or {"FORCE_COLOR", "TTY_COMPATIBLE"} & os.environ.keys()):
        return False
    from rich.console import Console

    return Console().is_terminal


def print_count(found: SearchResult) -> None:
    """Say on stderr how many matched."""
    more = "" if found.exact else "more than "
    hint = "" if found.exact else "; --exact counts them"
    typer.echo(f"{len(found.hits):,} of {more}{found.total:,} hits{hint}", err=True)


def safe_text(text: str) -> str:
    """Text on one line, without what a terminal would obey."""
    return text.translate(_BREAKS).translate(_CONTROL)


def shown_time(value: Json, form: str = "milliseconds") -> str:
    """A date as it is indexed, in the user's time zone."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000, UTC).astimezone().isoformat(sep=" ", timespec=form)
    return _text(value)


def _lines(hits: Iterator[Hit], columns: tuple[str, ...], hints: SearchHints, *, flush: bool) -> int:
    """Values separated by tabs, a line a hit: for grep, cut and awk."""
    count = 0
    for count, hit in enumerate(hits, 1):  # noqa: B007  # the count is the result
        values = [safe_text(shown_value(hit, name, hints)) for name in columns] or [orjson.dumps(hit.source).decode()]
        _line("\t".join(values), flush=flush)
    return count


def shown_value(hit: Hit, name: str, hints: SearchHints) -> str:
    """A field's value as a person reads it."""
    value = hit.value(name)
    return shown_time(value) if name == hints.time else _text(value)


def _text(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _object(hit: Hit) -> JsonObject:
    return {"_id": hit.id, "_score": hit.score, **hit.source}


def _ndjson(hits: Iterator[Hit], *, flush: bool) -> int:
    count = 0
    out = sys.stdout.buffer
    for count, hit in enumerate(hits, 1):  # noqa: B007  # the count is the result
        out.write(orjson.dumps(_object(hit), option=orjson.OPT_APPEND_NEWLINE))
        if flush:
            out.flush()
    out.flush()
    return count


def _json(hits: Iterator[Hit], *, flush: bool) -> int:
    """One array, written as the hits come."""
    count = 0
    out = sys.stdout.buffer
    out.write(b"[")
    for count, hit in enumerate(hits, 1):
        out.write((b"\n" if count == 1 else b",\n") + orjson.dumps(_object(hit)))
        if flush:
            out.flush()
    out.write(b"\n]\n" if count else b"]\n")
    out.flush()
    return count


def _csv(hits: Iterator[Hit], columns: tuple[str, ...]) -> int:
    count = 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    first = next(hits, None)
    names = columns or (tuple(first.source) if first else ())
    writer.writerow(names)
    for count, hit in enumerate(chain([first] if first else [], hits), 1):  # noqa: B007  # the count is the result
        writer.writerow([_text(hit.value(name)) for name in names])
    sys.stdout.flush()
    return count


def _raw(hits: Iterator[Hit], name: str | None, *, flush: bool) -> int:
    """The text alone, as it was indexed."""
    count = 0
    for count, hit in enumerate(hits, 1):  # noqa: B007  # the count is the result
        _line(_text(hit.value(name)) if name else orjson.dumps(hit.source).decode(), flush=flush)
    return count


def _line(text: str, *, flush: bool) -> None:
    sys.stdout.write(text + "\n")
    if flush:
        sys.stdout.flush()
