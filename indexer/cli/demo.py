"""`indexer demo`: the whole way on sample logs, with real servers."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["demo"]

EXAMPLES = """
Start what is missing, load sample logs, run `reindex --table logs --page 10000`, then search them.

Examples:

  indexer demo

  indexer demo --rows 20000
"""


@guarded
def demo(  # noqa: D103  # EXAMPLES is its help
    rows: Annotated[int, typer.Option(help="How many sample logs.", min=1)] = 200_000,
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `guarded` reads it
) -> int:
    from indexer.cli.demo_commands import run_commands
    from indexer.local.running import up
    from indexer.settings import without_secrets

    running = up()
    shown = without_secrets(running.elasticsearch.url)
    typer.echo(f"Elasticsearch: {shown} ({running.elasticsearch.origin})")
    source = _load(running.cratedb.url if running.cratedb else None, rows)
    environment = {"CRATEDB_URL": source, "ELASTICSEARCH_URL": running.elasticsearch.url}
    code = run_commands(environment)
    if code:
        return code
    _tell_how_to_go_on(environment)
    return 0


def _tell_how_to_go_on(environment: dict[str, str]) -> None:
    from indexer.settings import without_secrets

    typer.echo("\nThe servers keep running for you to try more; `indexer down` stops them. In this shell, first:")
    programs = Path(sys.executable).parent
    if str(programs) not in os.environ.get("PATH", "").split(os.pathsep):
        typer.echo(f'  export PATH={shlex.quote(str(programs))}:"$PATH"')
    for name, value in environment.items():
        if value == without_secrets(value):  # else it was given, and is in the environment already
            typer.echo(f"  export {name}={shlex.quote(value)}")
    typer.echo("Then, for example:")
    for command in ("indexer plan --table logs", "indexer search 'timeout AND service:payments'", "indexer jobs"):
        typer.echo(f"  {command}")


def _load(cratedb: str | None, rows: int) -> str:
    """Load the sample logs into CrateDB, or without one into an SQLite file; the source's URL."""
    from indexer.local.cache import SAMPLES, cache_folder
    from indexer.local.crate_table import crate_cursor
    from indexer.local.sample_table import load_crate, load_sqlite
    from indexer.settings import without_secrets

    if cratedb is None:
        path = cache_folder() / SAMPLES
        typer.echo(f"CrateDB: none found, so the sample logs are in the SQLite file {path}, read through SQLAlchemy.")
        typer.echo(_loaded(load_sqlite(path, rows), rows))
        return f"sqlite:///{path}"
    typer.echo(f"CrateDB: {without_secrets(cratedb)}")
    with crate_cursor(cratedb) as cursor:
        typer.echo(_loaded(load_crate(cursor, rows), rows))
    return cratedb


def _loaded(written: int, rows: int) -> str:
    age = "with times that end now" if written else "their times end a few minutes ago"
    return f"Sample logs: {rows:,} rows in the table logs, {written:,} of them loaded now; {age}."
