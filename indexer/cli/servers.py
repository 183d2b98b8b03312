"""`indexer up` and `indexer down`: servers to try things out on."""

from typing import Annotated

import typer

from indexer.access import without_secrets
from indexer.cli.command import command
from indexer.errors import UsageError
from indexer.sandbox.cratedb import HOW_TO_GET
from indexer.sandbox.registry import remove_servers, start_servers, stop_servers
from indexer.settings import Settings

__all__ = ["down_command", "up_command"]


@command("source", "target")
def up_command(
    settings: Settings,
    ctx: typer.Context,
    *,
    crate_nodes: Annotated[
        int | None,
        typer.Option(
            min=3, max=9, help="Start CrateDB as a cluster of N nodes, from an unpacked distribution.", metavar="N"
        ),
    ] = None,
) -> int:
    """Real servers, on this machine, to try things out on. A second call finds what the first one started.

    Examples:
      indexer up
      indexer up --target http://localhost:9200
      indexer up --crate-nodes 3

    With --crate-nodes, a second call restarts nodes that died.
    """
    if ctx.params["source"] and crate_nodes:
        raise UsageError("--source and --crate-nodes are mutually exclusive.")
    source = settings.source if "source" in settings.model_fields_set else None  # else look for one
    target = settings.target if "target" in settings.model_fields_set else None
    running = start_servers(source, target, crate_nodes=crate_nodes)
    for server in (running.elasticsearch, running.cratedb):
        if server is not None:
            typer.echo(f"{server.name}: {without_secrets(server.url)} ({server.origin})")
    for node in running.nodes:
        typer.echo(f"  {node.name}: {node.url}, process {node.process.pid if node.process else 'unknown'}")
    if running.cratedb is None:
        typer.echo(f"CrateDB: none. {HOW_TO_GET}")
    return 0


@command()
def down_command(
    *,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove their data too, and everything else in the cache folder.")
    ] = False,
) -> int:
    """Other servers keep running.

    Examples:
      indexer down
      indexer down --clean
    """
    stopped = remove_servers() if clean else stop_servers()
    for server in stopped:
        typer.echo(f"Stopped {server.name} at {server.url}.")
    if not stopped:
        typer.echo("No local servers are running.")
    return 0
