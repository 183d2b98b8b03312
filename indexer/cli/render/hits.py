"""Hits as text: lines for grep and awk, JSON, NDJSON, CSV, or the bare message."""

import csv
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain

import orjson
import typer

from indexer.model.json import Json, JsonObject
from indexer.model.mapping.search_hints import SearchHints
from indexer.query.hit import Hit, SearchResult

__all__ = ["hit_printer", "on_terminal", "print_count", "safe_text", "shown_time", "shown_value"]

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}
"""Control characters, escaped: a log line must not move the cursor."""

_BREAKS = {9: " ", 10: " ", 13: None}


def hit_printer(
    output: str, hints: SearchHints, columns: tuple[str, ...], raw_field: str | None, *, following: bool = False
) -> Callable[[Iterator[Hit]], int]:
    """How hits are printed; the function returns how many there were.

    Args:
        output: `table`, `json`, `ndjson`, `csv` or `raw`.
        hints: what the index says of itself.
        columns: the fields of a line.
        raw_field: the field that `raw` prints; None for the whole document.
        following: print each hit at once.
    """
    return {
        "table": lambda hits: _lines(hits, columns, hints, flush=following),
        "json": lambda hits: _json(hits, flush=following),
        "ndjson": lambda hits: _ndjson(hits, flush=following),
        "csv": lambda hits: _csv(hits, columns),
        "raw": lambda hits: _raw(hits, raw_field, flush=following),
    }[output]


def on_terminal() -> bool:
    """Whether stdout is a terminal, or to be treated as one."""
    if not (sys.stdout.isatty() or {"FORCE_COLOR", "TTY_COMPATIBLE"} & os.environ.keys()):
        return False
    from rich.console import Console  # noqa: PLC0415  # it takes long to import, and a pipe does without

    return Console().is_terminal


def print_count(found: SearchResult) -> None:
    """Say on stderr how many matched."""
    more = "" if found.exact else "more than "
    hint = "" if found.exact else "; --exact counts them all"
    typer.echo(f"{len(found.hits):,} of {more}{found.total:,} hits{hint}", err=True)


def safe_text(text: str) -> str:
    """Text on one line, with control characters escaped."""
    return text.translate(_BREAKS).translate(_CONTROL)


def shown_time(value: Json, timespec: str = "milliseconds") -> str:
    """An indexed date in the user's time zone."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000, UTC).astimezone().isoformat(sep=" ", timespec=timespec)
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
