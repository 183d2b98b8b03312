"""`indexer up`: find both servers, start what is missing."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["up"]

EXAMPLES = """
Find Elasticsearch and CrateDB, and start what is missing: real servers, on this machine, for trying things out.

Examples:

  indexer up

  indexer up --target http://localhost:9200

  indexer up --crate-nodes 3             a cluster of local processes; run it again after killing one
"""


@guarded
def up(  # noqa: D103  # EXAMPLES is its help
    source: o.Source = None,
    target: o.Target = None,
    crate_nodes: Annotated[
        int | None,
        typer.Option(
            min=3, max=9, help="Start CrateDB as a cluster of N nodes, where a server is unpacked.", metavar="N"
        ),
    ] = None,
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `guarded` reads it
) -> int:
    from indexer.errors import Refused
    from indexer.local.cratedb import HOW_TO_GET
    from indexer.local.running import up as start
    from indexer.settings import without_secrets

    if source and crate_nodes:
        raise Refused("--source names a CrateDB and --crate-nodes starts one: give one of them.")
    running = start(source, target, crate_nodes=crate_nodes)
    for server in (running.elasticsearch, running.cratedb):
        if server is not None:
            typer.echo(f"{server.name}: {without_secrets(server.url)} ({server.origin})")
    for node in running.nodes:
        typer.echo(f"  {node.name}: {node.url}, process {node.process.pid if node.process else 'unknown'}")
    if running.cratedb is None:
        typer.echo(f"CrateDB: none. {HOW_TO_GET}")
    return 0
