"""`indexer mapping`: what each column becomes, an overlay to start from, and how a live index differs."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table as Grid

from indexer.cli import completion
from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.errors import UsageError
from indexer.job.mapping import MappingPreview
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.diff import MappingDifference
from indexer.model.mapping.field import Field
from indexer.model.mapping.mapping import index_template

__all__ = ["mapping_command", "print_differences", "print_mapping", "print_template"]

_WIDE = 240
_ELSEWHERE = frozenset({"type", "fields", "properties"})


def print_mapping(made: MappingPreview, *, as_json: bool) -> None:
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


def print_template(made: MappingPreview, pattern: str) -> None:
    """Print the body of an index template for indexes that something else loads."""
    typer.echo(orjson.dumps(index_template(made.mapping, pattern), option=orjson.OPT_INDENT_2))


def print_differences(index: str, found: tuple[MappingDifference, ...], *, as_json: bool) -> None:
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


def _object(made: MappingPreview) -> JsonObject:
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


EXAMPLES = """
Print the mapping that a reindex would create, column by column, with who decided it: the type, the mapping file, or a
fallback where the cluster lacks something. Touches nothing in either server.

Examples:

  indexer mapping --table logs

  indexer mapping --table orders --init              writes mappings/orders.yaml, commented, to start from

  indexer mapping --table logs --check logs          what the live index has otherwise, and what needs a reindex

  indexer mapping --table logs --template 'logs_logstash*' > template.json      for indexes that other tools load

Exit code of `--check`: 0 for no difference, 1 for differences.
"""

_OWN = frozenset({"debug", "init", "check", "template"})
"""Options of this command that are no settings."""


@command_errors
def mapping_command(  # noqa: D103  # EXAMPLES is its help
    table: o.Table = None,
    mapping_command: o.Mapping = None,
    columns: o.Columns = None,
    init: Annotated[bool, typer.Option("--init", help="Write an overlay file to start from.")] = False,  # noqa: FBT002  # a flag is a boolean
    check: Annotated[
        str | None,
        typer.Option(
            help="Compare with this index or alias.", metavar="INDEX", autocompletion=completion.complete_index
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(help="Print an index template for indexes of this name or pattern.", metavar="PATTERN"),
    ] = None,
    source: o.Source = None,
    target: o.Target = None,
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
    given = {name: value for name, value in locals().items() if name not in _OWN}
    from indexer.job.mapping import check_index, preview_mapping, write_overlay
    from indexer.settings import load_settings

    if sum(map(bool, (init, check, template))) > 1:
        raise UsageError("--init, --check and --template cannot be asked for at once: give one of them.")
    settings = load_settings(**given)
    if init:
        typer.echo(f"Written: {write_overlay(settings, Path())}")
        return 0
    if check:
        found = check_index(settings, check)
        print_differences(check, found, as_json=settings.as_json)
        return 1 if found else 0
    if template:
        print_template(preview_mapping(settings), template)
        return 0
    print_mapping(preview_mapping(settings), as_json=settings.as_json)
    return 0
