"""A mapping as people read it, column by column, and what a live index has otherwise."""

import orjson
import typer
from rich.console import Console
from rich.table import Table as Grid

from indexer.job.mapping_preview import Preview
from indexer.model.field import Field
from indexer.model.index_template import index_template
from indexer.model.json import Json, JsonObject
from indexer.model.mapping_difference import Difference

__all__ = ["print_differences", "print_mapping", "print_template"]

_WIDE = 240
_ELSEWHERE = frozenset({"type", "fields", "properties"})


def print_mapping(made: Preview, *, as_json: bool) -> None:
    """Print what a new index would be created with."""
    if as_json:
        typer.echo(orjson.dumps(_object(made), option=orjson.OPT_INDENT_2))
        return
    console = _console()
    console.print(f"table    {made.table.name}\noverlay  {made.overlay}", markup=False, soft_wrap=True)
    grid = Grid("column", "type there", "field", "type here", "parameters", "decided by", box=None, pad_edge=False)
    for field in made.mapping.fields:
        grid.add_row(*_row(field))
    console.print(grid)
    console.print(f"settings {_text(made.mapping.settings)}", markup=False, soft_wrap=True)
    for use, label in made.mapping.analyzers.items():
        console.print(f"analyzer {use}: {label}", markup=False)
    for sentence in made.mapping.fallbacks:
        console.print(f"note: {sentence}", markup=False, soft_wrap=True)


def print_template(made: Preview, pattern: str) -> None:
    """Print the body of an index template for indexes that something else loads."""
    typer.echo(orjson.dumps(index_template(made.mapping, pattern), option=orjson.OPT_INDENT_2))


def print_differences(index: str, found: tuple[Difference, ...], *, as_json: bool) -> None:
    """Print what is not as the overlay wants it."""
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    if not found:
        typer.echo(f"{index} is as a reindex would make it.")
        return
    console = _console()
    grid = Grid("field or setting", "wanted", "in the index", "brought about by", box=None, pad_edge=False)
    for one in found:
        remedy = "a reindex" if one.reindex else "a change in place"
        grid.add_row(one.name, _shown(one.wanted), _shown(one.live), remedy)
    console.print(grid)
    again = sum(one.reindex for one in found)
    console.print(f"{len(found)} differences, {again} of which need a reindex.", markup=False)


def _console() -> Console:
    """As wide as the terminal, and wide enough for whole lines where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


def _row(field: Field) -> tuple[str, ...]:
    there = field.column.type.sql or str(field.column.type.kind)
    if field.type is None:
        return (field.column.name, there, field.name, "left out", "", str(field.origin))
    subs = field.definition.get("fields")
    below = "".join(f" + .{name}" for name in subs) if isinstance(subs, dict) else ""
    given = {name: value for name, value in field.definition.items() if name not in _ELSEWHERE}
    shown = ", ".join(f"{name}: {_text(value)}" for name, value in given.items())
    return (field.column.name, there, field.name, f"{field.type}{below}", shown, str(field.origin))


def _object(made: Preview) -> JsonObject:
    fields: list[Json] = [
        {"column": one.column.name, "field": one.name, "type": one.type, "decided_by": str(one.origin)}
        for one in made.mapping.fields
    ]
    return {
        "table": str(made.table.name),
        "overlay": made.overlay,
        "fields": fields,
        "mappings": made.mapping.mappings,
        "settings": made.mapping.settings,
        "meta": made.mapping.meta,
        "notes": list(made.mapping.fallbacks),
    }


def _shown(value: Json) -> str:
    return "nothing" if value is None else _text(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
