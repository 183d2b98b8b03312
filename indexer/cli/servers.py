"""`indexer up`: find both servers, start what is missing."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.command import command_errors

__all__ = ["down_command", "up_command"]

EXAMPLES = """
Find Elasticsearch and CrateDB, and start what is missing: real servers, on this machine, for trying things out.

Examples:

  indexer up

  indexer up --target http://localhost:9200

  indexer up --crate-nodes 3             a cluster of local processes; run it again after killing one
"""


@command_errors
def up_command(  # noqa: D103  # EXAMPLES is its help
    source: o.Source = None,
    target: o.Target = None,
    crate_nodes: Annotated[
        int | None,
        typer.Option(
            min=3, max=9, help="Start CrateDB as a cluster of N nodes, where a server is unpacked.", metavar="N"
        ),
    ] = None,
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `command_errors` reads it
) -> int:
    from indexer.errors import UsageError
    from indexer.sandbox.cratedb import HOW_TO_GET
    from indexer.sandbox.registry import start_servers as start
    from indexer.settings import without_secrets

    if source and crate_nodes:
        raise UsageError("--source names a CrateDB and --crate-nodes starts one: give one of them.")
    running = start(source, target, crate_nodes=crate_nodes)
    for server in (running.elasticsearch, running.cratedb):
        if server is not None:
            typer.echo(f"{server.name}: {without_secrets(server.url)} ({server.origin})")
    for node in running.nodes:
        typer.echo(f"  {node.name}: {node.url}, process {node.process.pid if node.process else 'unknown'}")
    if running.cratedb is None:
        typer.echo(f"CrateDB: none. {HOW_TO_GET}")
    return 0


DOWN_EXAMPLES = """
Stop the servers that `indexer up` or `indexer demo` started; others are left alone.

Examples:

  indexer down

  indexer down --clean
"""


@command_errors
def down_command(  # noqa: D103  # EXAMPLES is its help
    clean: Annotated[bool, typer.Option("--clean", help="Remove their data and all else in the cache folder.")] = False,  # noqa: FBT002  # a flag is a boolean
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `command_errors` reads it
) -> int:
    from indexer.sandbox import registry as running

    stopped = running.remove_servers() if clean else running.stop_servers()
    for server in stopped:
        typer.echo(f"{server.name} at {server.url} was stopped.")
    if not stopped:
        typer.echo("Nothing was running.")
    return 0
