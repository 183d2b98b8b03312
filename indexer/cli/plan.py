"""`indexer plan`: what a reindex would do, without doing it."""

from typing import Final

import orjson
import typer
from rich.console import Console
from rich.table import Table as Grid

from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.plan import Plan
from indexer.model.mapping.field import Field
from indexer.model.paging.window import Keyset, Offset, Prefixes, Range, TieGroup, Window
from indexer.model.table.table import Column

__all__ = ["plan_as_json", "plan_command", "print_plan"]

_SHOWN_SLICES: Final = 8
_PIPE_WIDTH: Final = 200
"""Columns for a pipe or a file: wide enough that no name is cut."""


def print_plan(plan: Plan) -> None:
    """Print what the job would do."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    facts = Grid.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in _facts(plan):
        facts.add_row(name, value)
    console.print(facts)
    console.print(_fields(plan.mapping.fields))
    console.print(_slices(plan.slices))
    console.print(f"index settings  {orjson.dumps(plan.mapping.settings).decode()}", markup=False, soft_wrap=True)
    for sentence in _notes(plan):
        console.print(f"note: {sentence}", markup=False, soft_wrap=True)
    console.print("Nothing was created. To do it: reindex, with the same options.")


def _facts(plan: Plan) -> list[tuple[str, str]]:
    selection, table = plan.selection, plan.selection.table
    return [
        ("table", f"{table.name} ({table.version}), {_shape(plan)}"),
        ("rows", f"{plan.rows:,} in {len(plan.slices)} slices, at most {plan.page:,} a page"),
        ("key", f"{', '.join(selection.key.names)}: {selection.key.reason}"),
        ("pages by", "windows" if plan.flat else "plain keyset or OFFSET, not windows"),
        ("_id", ", ".join(column.name for column in selection.id_columns) or f"the hidden column {selection.row_id}"),
        ("where", selection.where or "all rows"),
        ("catch up", plan.fingerprint["--catch-up"] or "no: rows that are added while it runs may be missing"),
        ("overlay", plan.overlay),
        ("index", f"{plan.job}, unfinished: it is resumed" if plan.unfinished else plan.job),
        ("alias", f"{plan.alias}, which points to {', '.join(plan.served) or 'nothing yet'}"),
        (
            "analyzers",
            ", ".join(f"{use}: {label}" for use, label in plan.mapping.analyzers.items()) or "those of the fields",
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
    grid = Grid(
        "column", "type there", "field", "type here", "decided by", box=None, header_style="bold", pad_edge=False
    )
    for field in fields:
        grid.add_row(field.column.name, _sql(field.column), field.name, _type(field), str(field.origin))
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
    grid = Grid("slice", "keys", "rows", box=None, header_style="bold", pad_edge=False)
    for part in slices[:_SHOWN_SLICES]:
        grid.add_row(str(part.number), _windows(part), f"{part.rows:,}")
    if len(slices) > _SHOWN_SLICES:
        rest = slices[_SHOWN_SLICES:]
        grid.add_row("...", f"{len(rest)} more", f"{sum(part.rows for part in rest):,}")
    return grid


def _windows(part: SliceProgress) -> str:
    return ", ".join(map(_window, part.windows)) or "done"


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
        f"the index template {name} matches {plan.job}; the plan's mapping and settings win where both speak."
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
        "slices": [{"number": part.number, "keys": _windows(part), "rows": part.rows} for part in plan.slices],
        "overlay": plan.overlay,
        "mappings": plan.mapping.mappings,
        "settings": plan.mapping.settings,
        "analyzers": plan.mapping.analyzers,
        "notes": _notes(plan),
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


EXAMPLES = """
Print what a reindex would do: the key and why, the slices, the rows, the mapping, the settings. Touches nothing.

Examples:

  indexer plan --table logs

  indexer plan --table logs --key ts,id --mapping my-logs.yaml

  indexer plan --table doc.logs --json
"""


@command_errors
def plan_command(  # noqa: D103  # EXAMPLES is its help
    table: o.Table = None,
    page: o.Page = None,
    source: o.Source = None,
    target: o.Target = None,
    index: o.Index = None,
    mapping: o.Mapping = None,
    key: o.Key = None,
    where: o.Where = None,
    columns: o.Columns = None,
    catch_up: o.CatchUp = None,
    readers: o.Readers = None,
    memory: o.Memory = None,
    strategy: o.StrategyName = None,
    fresh: o.Fresh = None,
    jobs_index: o.JobsIndex = None,
    source_user: o.SourceUser = None,
    source_password: o.SourcePassword = None,
    source_jwt: o.SourceJwt = None,
    source_ca: o.SourceCa = None,
    source_cert: o.SourceCert = None,
    source_cert_key: o.SourceCertKey = None,
    source_verify: o.SourceVerify = None,
    source_timeout: o.SourceTimeout = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    target_cert: o.TargetCert = None,
    target_cert_key: o.TargetCertKey = None,
    target_verify: o.TargetVerify = None,
    target_timeout: o.TargetTimeout = None,
    as_json: o.AsJson = None,
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    given = {name: value for name, value in locals().items() if name != "debug"}
    from indexer.job.reindex import plan as make
    from indexer.settings import load_settings

    settings = load_settings(**given)
    made = make(settings)
    if settings.as_json:
        typer.echo(plan_as_json(made))
    else:
        print_plan(made)
    return 0
