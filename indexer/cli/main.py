"""The two console scripts: `reindex`, and `indexer` with every command."""

from typing import Annotated

import typer

from indexer.cli.demo import EXAMPLES as DEMO
from indexer.cli.demo import demo_command
from indexer.cli.jobs import EXAMPLES as JOBS
from indexer.cli.jobs import ROLLBACK_EXAMPLES, jobs_command, rollback_command
from indexer.cli.mapping import EXAMPLES as MAPPING
from indexer.cli.mapping import mapping_command
from indexer.cli.plan import EXAMPLES as PLAN
from indexer.cli.plan import plan_command
from indexer.cli.reindex import EXAMPLES as REINDEX
from indexer.cli.reindex import reindex_command
from indexer.cli.replay import EXAMPLES as REPLAY
from indexer.cli.replay import replay_command
from indexer.cli.search import EXAMPLES as SEARCH
from indexer.cli.search import search_command
from indexer.cli.servers import DOWN_EXAMPLES, EXAMPLES, down_command, up_command
from indexer.cli.verify import EXAMPLES as VERIFY
from indexer.cli.verify import verify_command
from indexer.version import VERSION

__all__ = ["app", "main", "reindex"]

app = typer.Typer(
    name="indexer",
    help="Stream CrateDB tables into Elasticsearch, prove that every row arrived, and search them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("reindex", help=REINDEX)(reindex_command)
app.command("plan", help=PLAN)(plan_command)
app.command("mapping", help=MAPPING)(mapping_command)
app.command("jobs", help=JOBS)(jobs_command)
app.command("replay", help=REPLAY)(replay_command)
app.command("rollback", help=ROLLBACK_EXAMPLES)(rollback_command)
app.command("verify", help=VERIFY)(verify_command)
app.command(
    "search",
    help=SEARCH,
    context_settings={"ignore_unknown_options": True},
)(search_command)
app.command("demo", help=DEMO)(demo_command)
app.command("up", help=EXAMPLES)(up_command)
app.command("down", help=DOWN_EXAMPLES)(down_command)

_alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="markdown", add_completion=False)
_alone.command("reindex", help=REINDEX)(reindex_command)


def _version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it so
    if wanted:
        typer.echo(f"indexer {VERSION}")
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
