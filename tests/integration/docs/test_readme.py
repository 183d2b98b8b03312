"""The README's commands and programs, run as it writes them, on servers that the tests have to themselves."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.cli.demo import REINDEX, SEARCHES
from indexer.cli.main import app
from indexer.sandbox.cratedb_table import crate_cursor
from tests.support.commands import Ended, environment, run
from tests.support.documentation import TEXT, blocks
from tests.support.playground import Playground

ROWS = 20_000
JOB = "logs_20261122_101500"
"""The job that the README shows and replays."""


def commands() -> list[str]:
    """The commands of the README's console blocks, but those that `make` runs and the searches."""
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line for line in lines if re.match(r"reindex |indexer (?!search)", line)]


@dataclass(frozen=True)
class Shell:
    """Where commands are typed.

    Attributes:
        exports: what was typed first.
        cache: the cache folder.
        folder: the working directory.
    """

    exports: str
    cache: Path
    folder: Path

    def start(self, command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["bash", "-c", f"{self.exports}\nexec {command}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=environment(INDEXER_CACHE=str(self.cache)),
        )

    def run(self, command: str) -> Ended:
        process = self.start(command)
        out, err = process.communicate(timeout=120)
        return Ended(process.returncode, out, err)


@pytest.fixture(scope="module")
def demo(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """`make demo` is `indexer demo`."""
    folder = tmp_path_factory.mktemp("demo")
    ended = run("indexer", "demo", "--rows", str(ROWS), cwd=folder, timeout=240, **playground.environment)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def exports(demo: Ended, playground: Playground) -> str:
    """What the demo says to type into the shell."""
    lines = "\n".join(re.findall(r"^  (export .*)$", demo.out, flags=re.MULTILINE))
    assert f"export ELASTICSEARCH_URL={playground.elasticsearch}" in lines
    return lines


@pytest.fixture
def shell(exports: str, playground: Playground, tmp_path: Path) -> Shell:
    """A shell of somebody who has run the demo, in a folder of his own."""
    return Shell(exports, playground.cache, tmp_path)


@pytest.mark.elasticsearch
def test_the_demo_ends_with_every_example(demo: Ended) -> None:
    shown = dict(part.split("\n", 1) for part in demo.out.split("\n$ ")[1:])
    assert list(shown) == [REINDEX, *SEARCHES]
    timeouts, korean, numbers, followed, everything = (shown[search].strip().splitlines() for search in SEARCHES)
    assert len(timeouts) == 20
    assert all("\tERROR\tpayments\t" in line and "timeout" in line for line in timeouts)
    assert [line.split("\t")[3] for line in korean] == ["삼성전자는 반도체를 개발한다."] * 10
    assert {line.split("\t")[0] for line in numbers} == {"service", "histogram"}
    assert followed[-1] == "^C"
    assert len(followed) == 6
    assert re.match(r"\([3-4],\d{3} lines, ", everything[0])


@pytest.mark.elasticsearch
@pytest.mark.parametrize("search", SEARCHES)
def test_an_example_runs_as_written(shell: Shell, search: str) -> None:
    assert f"\n{search}" in TEXT
    process = shell.start(search)
    assert process.stdout is not None
    first = process.stdout.readline()
    if "--follow" in search:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert first or (shell.folder / "auth.ndjson").stat().st_size


@pytest.mark.elasticsearch
def test_what_the_demo_says_to_try_next_runs(demo: Ended, shell: Shell) -> None:
    suggested = re.findall(r"^  (indexer .*)$", demo.out, flags=re.MULTILINE)
    assert len(suggested) == 3
    for command in suggested:
        ended = shell.run(command)
        assert (ended.code, bool(ended.out)) == (0, True), (command, ended.err)


@pytest.mark.elasticsearch
def test_the_commands_run(shell: Shell, playground: Playground) -> None:
    make_users(playground)
    ran = commands()
    assert {words.split()[1] for words in ran} == {"--table", "plan", "jobs", "replay", "verify", "mapping"}
    job = json.loads(shell.run("indexer jobs --json").out.splitlines()[0])["job"]
    for command in ran:
        ended = shell.run(command.replace(JOB, job))
        assert ended.code == 0, (command, ended.err)
        assert ended.out


def make_users(playground: Playground) -> None:
    """The second table that the README names, where the demo has put the first."""
    table = "CREATE TABLE IF NOT EXISTS users (id BIGINT PRIMARY KEY, updated_at TIMESTAMP)"
    if playground.cratedb:
        with crate_cursor(playground.cratedb) as cursor:
            cursor.execute(table)
            return
    with sqlite3.connect(playground.cache / "samples.sqlite") as connection:
        connection.execute(table)
        connection.execute("CREATE INDEX IF NOT EXISTS changes ON users (updated_at)")
    connection.close()


@pytest.mark.elasticsearch
@pytest.mark.parametrize("program", blocks("python"))
def test_a_program_runs(shell: Shell, program: str) -> None:
    (shell.folder / "program.py").write_text(program, "utf-8")
    ended = shell.run(f"{sys.executable} program.py")
    assert ended.code == 0, ended.err
    assert ended.out.strip()


@pytest.mark.elasticsearch
def test_a_second_demo_doubles_nothing(demo: Ended, shell: Shell) -> None:
    assert f"{ROWS:,} rows in the table logs" in demo.out
    again = shell.run(f"indexer demo --rows {ROWS}")
    assert again.code == 0, again.err
    assert ", 0 of them loaded now" in again.out


def test_every_option_of_reindex_is_in_the_readme_and_the_other_way_round() -> None:
    shown = {command: options_of(command) for command in COMMANDS}
    written = set(re.findall(r"`[^`\n]*?(--[a-z][a-z-]+)", TEXT)) | set(re.findall(r"`(--[a-z][a-z-]+)", TEXT))
    assert shown["reindex"] - written == {
        "--switch", "--no-target-sniff", "--source-verify", "--target-verify",
    }  # fmt: skip
    assert written <= set().union(*shown.values())


def options_of(command: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", CliRunner().invoke(app, [command, "--help"], env=WIDE).output))


WIDE = {"COLUMNS": "300", "TERMINAL_WIDTH": "300"}
COMMANDS = ("reindex", "plan", "mapping", "verify", "search", "jobs", "replay", "rollback", "demo", "up", "down")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env=WIDE).output
    assert "Examples:" in shown
    assert f"{'reindex' if command == 'reindex' else f'indexer {command}'}" in shown
