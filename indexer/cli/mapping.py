"""`indexer mapping`: what each column becomes, an overlay to start from, and how a live index differs."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Column

from indexer.cli.command import command
from indexer.cli.completion import complete_index
from indexer.cli.render.console import (
    column_and_field,
    counted,
    facts_table,
    flat_settings,
    json_text,
    name_column,
    output_console,
    plain_table,
    wrapped,
)
from indexer.errors import UsageError
from indexer.job.mapping import MappingPreview, check_index, preview_mapping, write_overlay
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.diff import MappingDifference
from indexer.model.mapping.field import Field
from indexer.model.mapping.mapping import index_template
from indexer.option import OptionGroup
from indexer.settings import Settings

__all__ = ["mapping_command", "print_differences", "print_mapping"]

_STRUCTURE = frozenset({"type", "fields", "properties"})
"""Parameters of a field that have columns of their own, or rows."""


@command(*("table", "columns", "mapping", "as_json"), OptionGroup.SOURCE, OptionGroup.TARGET)
def mapping_command(
    settings: Settings,
    *,
    init: Annotated[bool, typer.Option("--init", help="Write a mapping file to start from.")] = False,
    check: Annotated[
        str | None,
        typer.Option(help="Compare with this index or alias.", metavar="INDEX", autocompletion=complete_index),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(help="Print an index template for indexes of this name or pattern.", metavar="PATTERN"),
    ] = None,
) -> int:
    """Shows each column's field, its type, and what decided it: the column's type, the mapping file, or the cluster.

    Examples:
      indexer mapping --table logs
      indexer mapping --table orders --init
      indexer mapping --table logs --check logs
      indexer mapping --table logs --template 'logs_logstash*' > template.json

    --init writes mappings/orders.yaml, commented. --check lists what the live index has differently and what needs a
    reindex; its exit code is 1 for differences, else 0. --template is for indexes that other tools load.
    """
    if sum(map(bool, (init, check, template))) > 1:
        raise UsageError("--init, --check and --template are mutually exclusive.")
    if init:
        typer.echo(f"Wrote {write_overlay(settings, Path())}.")
    elif check:
        differences = check_index(settings, check)
        print_differences(check, differences, as_json=settings.as_json)
        return 1 if differences else 0
    elif template:
        body = index_template(preview_mapping(settings).mapping, template)
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2))
    else:
        print_mapping(preview_mapping(settings), as_json=settings.as_json)
    return 0


def print_mapping(preview: MappingPreview, *, as_json: bool) -> None:
    """Print what a new index would be created with."""
    if as_json:
        typer.echo(orjson.dumps(_object(preview), option=orjson.OPT_INDENT_2))
        return
    console = output_console()
    fields = preview.mapping.fields
    facts = [
        ("table", str(preview.table.name)),
        ("overlay", preview.overlay),
        *((f"analyzer {use}", label) for use, label in preview.mapping.analyzers.items()),
    ]
    console.print(facts_table(facts))
    console.print()
    grid = plain_table(
        name_column("column", map(column_and_field, fields)),
        "source type",
        "index type",
        Column("parameters", overflow="fold"),
        "decided by",
    )
    for field in fields:
        grid.add_row(*_row(field))
    console.print(grid)
    console.print()
    console.print(facts_table(flat_settings(preview.mapping.settings)))
    for sentence in preview.mapping.fallbacks:
        wrapped(console, f"note: {sentence}")


def print_differences(index: str, differences: tuple[MappingDifference, ...], *, as_json: bool) -> None:
    """Print how an index differs from what a reindex would create."""
    if as_json:
        typer.echo(orjson.dumps(differences, option=orjson.OPT_INDENT_2))
        return
    if not differences:
        typer.echo(f"{index} is as reindex would create it.")
        return
    console = output_console()
    grid = plain_table("field or setting", "reindex would create", f"{index} has", "to change it")
    for difference in differences:
        remedy = "reindex" if difference.reindex else "change in place"
        grid.add_row(difference.name, _shown(difference.wanted), _shown(difference.live), remedy)
    console.print(grid)
    count = sum(difference.reindex for difference in differences)
    wrapped(console, f"{counted(len(differences), 'difference')}; {count} of them need a reindex.")


def _row(field: Field) -> tuple[str, ...]:
    source_type = field.column.type.sql or str(field.column.type.kind)
    if field.type is None:
        return (column_and_field(field), source_type, "left out", "", str(field.origin))
    subfields = field.definition.get("fields")
    below = "".join(f" + .{name}" for name in subfields) if isinstance(subfields, dict) else ""
    parameters = {name: value for name, value in field.definition.items() if name not in _STRUCTURE}
    shown = ", ".join(f"{name}: {json_text(value)}" for name, value in parameters.items())
    return (column_and_field(field), source_type, f"{field.type}{below}", shown, str(field.origin))


def _object(preview: MappingPreview) -> JsonObject:
    fields: list[Json] = [
        {"column": field.column.name, "field": field.name, "type": field.type, "decided_by": str(field.origin)}
        for field in preview.mapping.fields
    ]
    return {
        "table": str(preview.table.name),
        "overlay": preview.overlay,
        "fields": fields,
        "mappings": preview.mapping.mappings,
        "settings": preview.mapping.settings,
        "meta": preview.mapping.meta,
        "notes": list(preview.mapping.fallbacks),
    }


def _shown(value: Json) -> str:
    return "nothing" if value is None else json_text(value)
