"""Tables and facts for people, as wide as the terminal is."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import orjson
from rich.console import Console
from rich.table import Column, Table

from indexer.cli.render.hits import safe_text
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.field import Field

__all__ = [
    "ago",
    "column_and_field",
    "counted",
    "facts_table",
    "flat_settings",
    "json_text",
    "name_column",
    "output_console",
    "plain_console",
    "plain_table",
    "wrapped",
]

PIPE_WIDTH: Final = 1_000
"""Columns of a pipe or a file: wide enough that no line is broken."""

_UNITS: Final = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def output_console() -> Console:
    """The console of stdout: as wide as the terminal, or wide enough for whole lines where there is none."""
    console = plain_console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def plain_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: what looks like markup or an emoji's name may be a part of a log line."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def facts_table(facts: Iterable[tuple[str, str]]) -> Table:
    """Names and what is known of them, a line each; long values continue below their beginning."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, safe_text(value))
    return table


def plain_table(*columns: Column | str) -> Table:
    """A table without lines."""
    return Table(*columns, box=None, header_style="bold", pad_edge=False)


def name_column(header: str, names: Iterable[str]) -> Column:
    """A column of names, which are never broken: the other columns give way on a narrow terminal."""
    return Column(header, no_wrap=True, min_width=max(map(len, (header, *names))))


def column_and_field(field: Field) -> str:
    """A column's name, with its field's where that is another."""
    column = field.column.name
    return column if column == field.name else f"{column} -> {field.name}"


def wrapped(console: Console, text: str) -> None:
    """Print a sentence: wrapped at words on a terminal, on one line in a pipe."""
    console.print(text, soft_wrap=not console.is_terminal)


def ago(time: str, now: datetime | None = None) -> str:
    """How long ago a time was, such as `2 min ago`.

    Args:
        time: ISO 8601, with its time zone.
        now: the time to count from, by default the present.
    """
    seconds = max(0, int(((now or datetime.now(UTC)) - datetime.fromisoformat(time)).total_seconds()))
    name, size = next((unit for unit in _UNITS if seconds >= unit[1]), _UNITS[-1])
    count = seconds // size
    return f"{count} {name}{'s' if name == 'day' and count > 1 else ''} ago"


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 row` or `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def flat_settings(settings: JsonObject, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Index settings by their full names, as Elasticsearch also takes them: `analysis.analyzer.korean.type`."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from flat_settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json_text(value)


def json_text(value: Json) -> str:
    """A value as JSON; text without quotes."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
