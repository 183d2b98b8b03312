"""`indexer demo`: the whole way on sample logs, with real servers."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Timer
from typing import Annotated, Final

import typer

from indexer.cli import options as o
from indexer.cli.command import command_errors

__all__ = ["REINDEX", "SEARCHES", "demo_command", "run_commands"]

REINDEX: Final = "reindex --table logs --page 10000"

SEARCHES: Final = (
    "indexer search 'timeout AND service:payments' --since 2h --level ERROR --sort -ts -n 20",
    "indexer search '반도체 개발'",
    "indexer search --where status=500 --where 'latency_ms>300' --top service --histogram 5m",
    "indexer search 'checkout' --follow",
    "indexer search 'service:auth' --all -o ndjson > auth.ndjson",
)

_NOTHING_FOUND: Final = 1
"""What a search of few sample logs may end in."""

_LINES: Final = 5
"""Lines of `--follow` that are shown before it is interrupted."""

_PATIENCE: Final = 20.0
"""Seconds to wait for them: few sample logs may have fewer matches."""


def run_commands(environment: Mapping[str, str]) -> int:
    """Show and run each command as a user does.

    Args:
        environment: what is set for them besides what is set already.

    Returns:
        0, or the exit code of the first that failed; to find nothing is no failure.
    """
    for command in (REINDEX, *SEARCHES):
        typer.echo(f"\n$ {command}")
        code = _run(shlex.split(command), {**os.environ, **environment})
        if code and not (command in SEARCHES and code == _NOTHING_FOUND):
            return code
    return 0


def _run(words: list[str], environment: dict[str, str]) -> int:
    if ">" in words:
        return _counted(words[: words.index(">")], environment)
    if "--follow" in words:
        return _interrupted(words, environment)
    return subprocess.run(_installed(words), env=environment, check=False).returncode  # noqa: S603  # our own script


def _counted(words: list[str], environment: dict[str, str]) -> int:
    """Run a search into a file that is gone afterwards, and tell how much was in it."""
    with tempfile.TemporaryFile() as file:
        code = subprocess.run(_installed(words), env=environment, stdout=file, check=False).returncode  # noqa: S603  # as above
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        typer.echo(f"({sum(1 for _ in file):,} lines, {size / 1e6:.1f} MB; the demo does not keep the file)")
    return code


def _interrupted(words: list[str], environment: dict[str, str]) -> int:
    """Run a search that has no end, show its first lines, and end it as Ctrl-C does."""
    colours = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    with _interruptible():
        process = subprocess.Popen(  # noqa: S603  # as above
            _installed(words), env={**environment, **colours}, stdout=subprocess.PIPE, text=True
        )
    with process:
        giving_up = Timer(_PATIENCE, process.send_signal, [signal.SIGINT])
        giving_up.start()
        for line in islice(process.stdout or (), _LINES):
            typer.echo(line, nl=False)
        giving_up.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate()  # it may be in the middle of a line, and would fail where nobody reads it
    typer.echo("^C")
    return process.returncode


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let what is started here hear Ctrl-C, also where this process does not: after `&` a shell has it ignored.

    What is ignored is inherited, a handler is not.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _installed(words: list[str]) -> list[str | Path]:
    """The command that was installed beside this Python, with its arguments."""
    return [Path(sys.executable).parent / words[0], *words[1:]]


EXAMPLES = """
Start what is missing, load sample logs, run `reindex --table logs --page 10000`, then search them.

Examples:

  indexer demo

  indexer demo --rows 20000
"""


@command_errors
def demo_command(  # noqa: D103  # EXAMPLES is its help
    rows: Annotated[int, typer.Option(help="How many sample logs.", min=1)] = 200_000,
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `command_errors` reads it
) -> int:
    from indexer.sandbox.registry import start_servers
    from indexer.settings import without_secrets

    running = start_servers()
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
    from indexer.sandbox.cache import SAMPLES, server_cache
    from indexer.sandbox.cratedb_table import crate_cursor
    from indexer.sandbox.sample_table import load_cratedb_sample, load_sqlite_sample
    from indexer.settings import without_secrets

    if cratedb is None:
        path = server_cache() / SAMPLES
        typer.echo(f"CrateDB: none found, so the sample logs are in the SQLite file {path}, read through SQLAlchemy.")
        typer.echo(_loaded(load_sqlite_sample(path, rows), rows))
        return f"sqlite:///{path}"
    typer.echo(f"CrateDB: {without_secrets(cratedb)}")
    with crate_cursor(cratedb) as cursor:
        typer.echo(_loaded(load_cratedb_sample(cursor, rows), rows))
    return cratedb


def _loaded(written: int, rows: int) -> str:
    age = "with times that end now" if written else "their times end a few minutes ago"
    return f"Sample logs: {rows:,} rows in the table logs, {written:,} of them loaded now; {age}."
