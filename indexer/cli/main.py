"""The two console scripts: `reindex`, and `indexer` with every command.

A command's module is imported when the command is used, so that `indexer search` does not wait for the database drivers
and a key press that completes a command's name does not wait for anything.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from indexer.version import VERSION

if TYPE_CHECKING:
    from typer._click import Command, Context

__all__ = ["COMMANDS", "app", "load_command", "main", "reindex"]


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command is, and what lists say of it.

    Attributes:
        module: its module in `indexer.cli`; there the function is called by the command's name and `_command`.
        summary: the first sentence of its help; the function's docstring is the rest.
        context: settings of its context, as typer calls them.
    """

    module: str
    summary: str
    context: dict[str, Any] | None = None


COMMANDS: Final = {
    "reindex": CommandEntry(
        "reindex", "Load a table into a new index, verify that every row arrived, then move the alias to it."
    ),
    "plan": CommandEntry("plan", "Show what reindex would do, and change nothing."),
    "mapping": CommandEntry("mapping", "Show or check an index's mapping, or write a mapping file to start from."),
    "jobs": CommandEntry("jobs", "List jobs, show one, or remove what unfinished jobs left."),
    "replay": CommandEntry("replay", "Index the rows of a job's dead letters, once they are fixed."),
    "rollback": CommandEntry("jobs", "Move an alias back to the previous index."),
    "verify": CommandEntry("verify", "Compare a table with its index, and repair the index."),
    "search": CommandEntry("search", "Search the indexed logs.", {"ignore_unknown_options": True}),
    "demo": CommandEntry("demo", "Start local servers, load sample logs, reindex and search them."),
    "up": CommandEntry("servers", "Find Elasticsearch and CrateDB, and start local servers where there are none."),
    "down": CommandEntry("servers", "Stop the local servers that `indexer up` or `indexer demo` started."),
}


_EXAMPLE: Final = " " * 6
"""How an example begins in a docstring."""


def load_command(name: str) -> "Command":
    """Import a command's module and make the command."""
    return get_command(_single(name))


def _single(name: str) -> typer.Typer:
    """A program of one command."""
    entry = COMMANDS[name]
    gc.disable()  # what is imported stays; collecting garbage meanwhile takes a tenth of the time
    function: Callable[..., None] = getattr(import_module(f"indexer.cli.{entry.module}"), f"{name}_command")
    gc.enable()
    program = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="markdown", add_completion=False)
    details = _as_markdown((function.__doc__ or "").splitlines())
    program.command(name, help=f"{entry.summary}\n\n{details}", context_settings=entry.context)(function)
    return program


def _as_markdown(lines: list[str]) -> str:
    """A docstring as Markdown: examples stay on lines of their own, for which a line ends in a backslash."""
    shown = []
    for line, after in pairwise([*lines, ""]):
        if line.startswith(_EXAMPLE) and after.startswith(_EXAMPLE):
            shown.append(f"{line}\\")
        else:
            shown.append(f"{line}\n" if line.endswith("Examples:") else line)
    return "\n".join(shown)


class LazyGroup(TyperGroup):
    """Lists commands by their summaries, and imports the one that is used."""

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        """The command that the arguments name, imported."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load_command(args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="indexer",
    cls=LazyGroup,
    help="Load CrateDB tables into Elasticsearch, verify that every row arrived, and search them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _listed() -> None:
    """Stands for a command that is listed and not used."""


for _name, _entry in COMMANDS.items():
    app.command(_name, help=_entry.summary)(_listed)


def _version(requested: bool) -> None:  # noqa: FBT001  # typer calls it so
    if requested:
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
    _single("reindex")()
