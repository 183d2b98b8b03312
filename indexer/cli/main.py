"""The two console scripts: `reindex`, and `indexer` with every command."""

from typing import Annotated

import typer

from indexer import __version__
from indexer.cli import demo, down, jobs, mapping, plan, replay, rollback, search, up, verify
from indexer.cli import reindex as move

__all__ = ["app", "main", "reindex"]

app = typer.Typer(
    name="indexer",
    help="Stream CrateDB tables into Elasticsearch, prove that every row arrived, and search them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("reindex", help=move.EXAMPLES)(move.reindex)
app.command("plan", help=plan.EXAMPLES)(plan.plan)
app.command("mapping", help=mapping.EXAMPLES)(mapping.mapping)
app.command("jobs", help=jobs.EXAMPLES)(jobs.jobs)
app.command("replay", help=replay.EXAMPLES)(replay.replay)
app.command("rollback", help=rollback.EXAMPLES)(rollback.rollback)
app.command("verify", help=verify.EXAMPLES)(verify.verify)
app.command(
    "search",
    help=search.EXAMPLES,
    context_settings={"ignore_unknown_options": True},
)(search.search)
app.command("demo", help=demo.EXAMPLES)(demo.demo)
app.command("up", help=up.EXAMPLES)(up.up)
app.command("down", help=down.EXAMPLES)(down.down)

_alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="markdown", add_completion=False)
_alone.command("reindex", help=move.EXAMPLES)(move.reindex)


def _version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it so
    if wanted:
        typer.echo(f"indexer {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # its callback has printed it


def main() -> None:
    """Run `indexer`."""
    app()


def reindex() -> None:
    """Run `reindex`."""
    _alone()
