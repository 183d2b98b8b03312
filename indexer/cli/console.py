"""Tables and facts for people, as wide as the terminal is."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Column, Table

__all__ = ["ago", "facts_table", "name_column", "output_console", "plain_table"]

PIPE_WIDTH: Final = 1_000
"""Columns of a pipe or a file: wide enough that no line is broken."""

_UNITS: Final = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def output_console() -> Console:
    """The console of stdout: as wide as the terminal, or wide enough for whole lines where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def facts_table(facts: Iterable[tuple[str, str]]) -> Table:
    """Names and what is known of them, a line each; long values continue below their beginning."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for fact in facts:
        table.add_row(*fact)
    return table


def plain_table(*columns: Column | str) -> Table:
    """A table without lines."""
    return Table(*columns, box=None, header_style="bold", pad_edge=False)


def name_column(header: str, names: Iterable[str]) -> Column:
    """A column of names, which are never broken: the other columns give way on a narrow terminal."""
    return Column(header, no_wrap=True, min_width=max(map(len, (header, *names))))


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
