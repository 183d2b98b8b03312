"""`indexer up`: find both servers, start what is missing."""

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["up"]

EXAMPLES = """
Find Elasticsearch and CrateDB, and start what is missing: real servers, on this machine, for trying things out.

Examples:

  indexer up

  indexer up --target http://localhost:9200
"""


@guarded
def up(  # noqa: D103  # EXAMPLES is its help
    source: o.Source = None,
    target: o.Target = None,
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `guarded` reads it
) -> int:
    from indexer.local.cratedb import HOW_TO_GET
    from indexer.local.running import up as start
    from indexer.settings import without_secrets

    running = start(source, target)
    for server in (running.elasticsearch, running.cratedb):
        if server is not None:
            typer.echo(f"{server.name}: {without_secrets(server.url)} ({server.origin})")
    if running.cratedb is None:
        typer.echo(f"CrateDB: none. {HOW_TO_GET}")
    return 0
