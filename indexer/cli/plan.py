"""`indexer plan`: what a reindex would do, without doing it."""

from typing import Final

import orjson
import typer
from rich.table import Column as Heading
from rich.table import Table as Grid

from indexer.cli.command import command
from indexer.cli.render.console import (
    column_and_field,
    counted,
    facts_table,
    flat_settings,
    name_column,
    output_console,
    plain_table,
    wrapped,
)
from indexer.job.reindex import plan
from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.plan import Plan
from indexer.model.mapping.field import Field
from indexer.model.paging.window import Keyset, Offset, Prefixes, Range, TieGroup, Window
from indexer.model.table.table import Column
from indexer.option import OptionGroup
from indexer.settings import Settings

__all__ = ["plan_as_json", "plan_command", "print_plan"]

_SHOWN_SLICES: Final = 8


@command(
    OptionGroup.TABLE,
    *("index", "mapping", "page", "readers", "memory", "fresh", "jobs_index", "as_json"),
    OptionGroup.SOURCE,
    OptionGroup.TARGET,
)
def plan_command(settings: Settings) -> int:
    """Prints the key and why it was chosen, the slices, the mapping and the settings of the new index.

    Examples:
      indexer plan --table logs
      indexer plan --table logs --key ts,id --mapping my-logs.yaml
      indexer plan --table doc.logs --json
    """
    made = plan(settings)
    if settings.as_json:
        typer.echo(plan_as_json(made))
    else:
        print_plan(made)
    return 0


def print_plan(plan: Plan) -> None:
    """Print what the job would do."""
    console = output_console()
    console.print(facts_table(_facts(plan)))
    console.print()
    console.print(_fields(plan.mapping.fields))
    console.print()
    console.print(_slices(plan.slices))
    console.print()
    console.print(facts_table(flat_settings(plan.mapping.settings)))
    console.print()
    for sentence in _notes(plan):
        wrapped(console, f"note: {sentence}")
    console.print("Dry run: nothing was created. Run reindex with the same options to load it.")


def _facts(plan: Plan) -> list[tuple[str, str]]:
    selection, table = plan.selection, plan.selection.table
    return [
        ("table", f"{table.name} ({table.version}), {_shape(plan)}"),
        ("rows", f"{plan.rows:,} in {counted(len(plan.slices), 'slice')}, at most {plan.page:,} per page"),
        ("key", f"{', '.join(selection.key.names)}: {selection.key.reason}"),
        ("pages by", "windows" if plan.flat else "keyset or OFFSET, which slow down with depth"),
        ("_id", ", ".join(column.name for column in selection.id_columns) or f"the hidden column {selection.row_id}"),
        ("where", selection.where or "all rows"),
        ("catch up", plan.fingerprint["--catch-up"] or "off; rows added while it runs may be missing"),
        ("overlay", plan.overlay),
        ("index", f"{plan.job}, unfinished; reindex resumes it" if plan.unfinished else plan.job),
        ("alias", f"{plan.alias}, now pointing to {', '.join(plan.served) or 'nothing'}"),
        (
            "analyzers",
            ", ".join(f"{use}: {label}" for use, label in plan.mapping.analyzers.items()) or "defined per field",
        ),
        ("cluster", f"Elasticsearch {plan.capabilities.version}"),
    ]


def _shape(plan: Plan) -> str:
    table = plan.selection.table
    parts = [f"primary key {', '.join(table.primary_key)}" if table.primary_key else "no primary key"]
    if table.partitioned_by:
        parts.append(f"partitioned by {', '.join(table.partitioned_by)}")
    if table.clustered_by:
        parts.append(f"clustered by {table.clustered_by}")
    if table.shards is not None:
        parts.append(f"{table.shards} shards")
    return ", ".join(parts)


def _fields(fields: tuple[Field, ...]) -> Grid:
    grid = plain_table(name_column("column", map(column_and_field, fields)), "source type", "index type", "decided by")
    for field in fields:
        grid.add_row(column_and_field(field), _sql(field.column), _type(field), str(field.origin))
    return grid


def _sql(column: Column) -> str:
    return column.type.sql or str(column.type.kind)


def _type(field: Field) -> str:
    if field.type is None:
        return "left out"
    below = field.definition.get("fields")
    subfields = "".join(f" + .{name}" for name in below) if isinstance(below, dict) else ""
    analyzer = field.definition.get("analyzer")
    return f"{field.type}{subfields}" + (f" ({analyzer})" if analyzer else "")


def _slices(slices: tuple[SliceProgress, ...]) -> Grid:
    grid = plain_table("slice", Heading("keys", overflow="fold"), Heading("rows", justify="right"))
    for slice_ in slices[:_SHOWN_SLICES]:
        grid.add_row(str(slice_.number), _windows(slice_), f"{slice_.rows:,}")
    if len(slices) > _SHOWN_SLICES:
        rest = slices[_SHOWN_SLICES:]
        grid.add_row("...", f"{len(rest)} more", f"{sum(slice_.rows for slice_ in rest):,}")
    return grid


def _windows(slice_: SliceProgress) -> str:
    return ", ".join(map(_window, slice_.windows)) or "done"


def _window(window: Window) -> str:
    match window:
        case Range(lo, hi):
            return f"({lo}, {hi}]"
        case Prefixes(prefixes):
            first, last = prefixes[0].text, prefixes[-1].text
            return f"{first!r}..." if first == last else f"{first!r}... to {last!r}..., {len(prefixes)} prefixes"
        case TieGroup(None):
            return "NULL"
        case TieGroup(value):
            return repr(value)
        case Keyset():
            return "all, by plain keyset"
        case Offset():
            return "all, by OFFSET"


def _notes(plan: Plan) -> list[str]:
    templates = (
        f"the index template {name} matches {plan.job}; the mapping and settings above win over it."
        for name in plan.templates
    )
    caveat = plan.selection.table.caveat
    return [*([f"{caveat}."] if caveat else []), *plan.mapping.fallbacks, *templates]


def plan_as_json(plan: Plan) -> str:
    """The plan as one JSON object."""
    selection = plan.selection
    body = {
        "job": plan.job,
        "resumed": plan.unfinished is not None,
        "table": str(selection.table.name),
        "alias": plan.alias,
        "served": plan.served,
        "rows": plan.rows,
        "page": plan.page,
        "key": selection.key.names,
        "key_reason": selection.key.reason,
        "flat": plan.flat,
        "catch_up": plan.fingerprint["--catch-up"] or None,
        "id": [column.name for column in selection.id_columns] or [str(selection.row_id)],
        "slices": [{"number": one.number, "keys": _windows(one), "rows": one.rows} for one in plan.slices],
        "overlay": plan.overlay,
        "mappings": plan.mapping.mappings,
        "settings": plan.mapping.settings,
        "analyzers": plan.mapping.analyzers,
        "notes": _notes(plan),
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
