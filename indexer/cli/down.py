"""`indexer down`: stop what `indexer up` started."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["down"]

EXAMPLES = """
Stop the servers that `indexer up` or `indexer demo` started; others are left alone.

Examples:

  indexer down

  indexer down --clean
"""


@guarded
def down(  # noqa: D103  # EXAMPLES is its help
    clean: Annotated[bool, typer.Option("--clean", help="Remove their data and all else in the cache folder.")] = False,  # noqa: FBT002  # a flag is a boolean
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `guarded` reads it
) -> int:
    from indexer.local import running

    stopped = running.clean() if clean else running.down()
    for server in stopped:
        typer.echo(f"{server.name} at {server.url} was stopped.")
    if not stopped:
        typer.echo("Nothing was running.")
    return 0
