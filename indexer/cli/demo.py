"""`indexer demo`: sample logs, from loading to searching, on real servers."""

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

from indexer.access import without_secrets
from indexer.cli.command import command
from indexer.sandbox.cache import SAMPLES, server_cache
from indexer.sandbox.cratedb_table import crate_cursor
from indexer.sandbox.registry import start_servers
from indexer.sandbox.sample_table import load_cratedb_sample, load_sqlite_sample

__all__ = ["REINDEX", "SEARCHES", "demo_command", "run_commands"]

REINDEX: Final = "reindex --table logs --page 10000"

SEARCHES: Final = (
    "indexer search 'timeout AND service:payments' --since 2h --level ERROR --sort -ts -n 20",
    "indexer search '반도체 개발'",
    "indexer search --where status=500 --where 'latency_ms>300' --top service --histogram 5m",
    "indexer search 'checkout' --follow",
    "indexer search 'service:auth' --all -o ndjson > auth.ndjson",
)

_NO_MATCH: Final = 1
"""The exit code of a search without a match, which few sample logs may give."""

_FOLLOWED_LINES: Final = 5
"""Lines of `--follow` that are shown before it is interrupted."""

_FOLLOW_SECONDS: Final = 20.0
"""How long to wait for these lines; few sample logs may have fewer matches."""


@command()
def demo_command(
    *, rows: Annotated[int, typer.Option(help="Number of sample logs.", metavar="N", min=1)] = 200_000
) -> int:
    """Each command is shown before it runs, as you would type it. The servers keep running afterwards.

    Examples:
      indexer demo
      indexer demo --rows 20000
    """
    running = start_servers()
    shown = without_secrets(running.elasticsearch.url)
    typer.echo(f"Elasticsearch: {shown} ({running.elasticsearch.origin})")
    source = _load_sample(running.cratedb.url if running.cratedb else None, rows)
    environment = {"CRATEDB_URL": source, "ELASTICSEARCH_URL": running.elasticsearch.url}
    code = run_commands(environment)
    if code:
        return code
    _print_next_steps(environment)
    return 0


def run_commands(environment: Mapping[str, str]) -> int:
    """Show each command and run it.

    Args:
        environment: variables to set for them, in addition to this process' own.

    Returns:
        0, or the exit code of the first that failed; a search without a match is no failure.
    """
    for line in (REINDEX, *SEARCHES):
        typer.echo(f"\n$ {line}")
        code = _run(shlex.split(line), {**os.environ, **environment})
        if code and not (line in SEARCHES and code == _NO_MATCH):
            return code
    return 0


def _run(words: list[str], environment: dict[str, str]) -> int:
    if ">" in words:
        return _run_into_file(words[: words.index(">")], environment)
    if "--follow" in words:
        return _run_interrupted(words, environment)
    return subprocess.run(_installed(words), env=environment, check=False).returncode  # noqa: S603  # our own script


def _run_into_file(words: list[str], environment: dict[str, str]) -> int:
    """Run a search into a temporary file, and print how much it wrote."""
    with tempfile.TemporaryFile() as file:
        code = subprocess.run(_installed(words), env=environment, stdout=file, check=False).returncode  # noqa: S603  # as above
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        typer.echo(f"({sum(1 for _ in file):,} lines, {size / 1e6:.1f} MB; the demo does not keep the file)")
    return code


def _run_interrupted(words: list[str], environment: dict[str, str]) -> int:
    """Run a search that does not end, show its first lines, and interrupt it as Ctrl-C does."""
    colours = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    with _interruptible():
        process = subprocess.Popen(  # noqa: S603  # as above
            _installed(words), env={**environment, **colours}, stdout=subprocess.PIPE, text=True
        )
    with process:
        timer = Timer(_FOLLOW_SECONDS, process.send_signal, [signal.SIGINT])
        timer.start()
        for line in islice(process.stdout or (), _FOLLOWED_LINES):
            typer.echo(line, nl=False)
        timer.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate()  # it may be in the middle of a line, and would fail if nobody read on
    typer.echo("^C")
    return process.returncode


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the programs started here receive SIGINT even if this process ignores it, as shells make it do after `&`.

    An ignored signal is inherited, a handler is not.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _installed(words: list[str]) -> list[str | Path]:
    """The script installed beside this Python, with its arguments."""
    return [Path(sys.executable).parent / words[0], *words[1:]]


def _print_next_steps(environment: dict[str, str]) -> None:
    typer.echo("\nThe servers keep running; `indexer down` stops them. To try more, set in this shell:")
    programs = Path(sys.executable).parent
    if str(programs) not in os.environ.get("PATH", "").split(os.pathsep):
        typer.echo(f'  export PATH={shlex.quote(str(programs))}:"$PATH"')
    for name, value in environment.items():
        if value == without_secrets(value):  # else the user gave it, and it is in the environment already
            typer.echo(f"  export {name}={shlex.quote(value)}")
    typer.echo("Then, for example:")
    for line in ("indexer plan --table logs", "indexer search 'timeout AND service:payments'", "indexer jobs"):
        typer.echo(f"  {line}")


def _load_sample(cratedb: str | None, rows: int) -> str:
    """Load the sample logs into CrateDB, or into an SQLite file where there is none; returns the source's URL."""
    if cratedb is None:
        path = server_cache() / SAMPLES
        typer.echo(f"CrateDB: none found; the sample logs are in the SQLite file {path} instead.")
        typer.echo(_loaded(load_sqlite_sample(path, rows), rows))
        return f"sqlite:///{path}"
    typer.echo(f"CrateDB: {without_secrets(cratedb)}")
    with crate_cursor(cratedb) as cursor:
        typer.echo(_loaded(load_cratedb_sample(cursor, rows), rows))
    return cratedb


def _loaded(written: int, rows: int) -> str:
    age = "with times that end now" if written else "their times end a few minutes ago"
    return f"Sample logs: {rows:,} rows in the table logs, {written:,} of them loaded now; {age}."
