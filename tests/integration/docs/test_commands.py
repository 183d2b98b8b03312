"""The commands and programs of README and docs/, run as written on the tests' own servers."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.cli.demo import REINDEX, SEARCHES
from indexer.cli.main import app
from indexer.sandbox.cratedb_table import crate_cursor
from tests.support.commands import Ended, environment, run
from tests.support.documentation import ROOT, Block, blocks, original_of, pages
from tests.support.playground import Playground

ROWS = 20_000
JOB = "logs_20261122_101500"
"""The job named in the pages."""

TRANSLATED = {page: original_of(page) for page in pages() if original_of(page) != page}
PAGES = [
    page for page in pages() if page not in TRANSLATED and any(block.runs for block in blocks(page, "bash", "python"))
]
NOTES = r"not run: .+|setup: the table users|until: Ctrl-C|exit code: \d"


@dataclass(frozen=True)
class Shell:
    """A shell session.

    Attributes:
        exports: `export` lines to run first.
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

    def interrupted(self, command: str) -> Ended:
        """Run an endless command: send Ctrl-C after its first line."""
        process = self.start(command)
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=120)
        return Ended(process.returncode, first + rest, err)


@pytest.fixture(scope="module")
def demo(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """`make demo` is `indexer demo`."""
    folder = tmp_path_factory.mktemp("demo")
    ended = run("indexer", "demo", "--rows", str(ROWS), cwd=folder, timeout=240, **playground.environment)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def exports(demo: Ended, playground: Playground) -> str:
    """The `export` lines that the demo prints."""
    lines = "\n".join(re.findall(r"^  (export .*)$", demo.out, flags=re.MULTILINE))
    assert f"export ELASTICSEARCH_URL={playground.elasticsearch}" in lines
    return lines


@pytest.fixture
def shell(exports: str, playground: Playground, tmp_path: Path) -> Shell:
    """A shell in an empty folder, after the demo."""
    return Shell(exports, playground.cache, tmp_path)


@pytest.mark.elasticsearch
def test_the_demo_runs_every_example_search(demo: Ended) -> None:
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


def test_the_readme_shows_what_the_demo_runs() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert all(f"\n{command}" in text for command in (REINDEX, *SEARCHES))


@pytest.mark.elasticsearch
def test_the_commands_suggested_by_the_demo_run(demo: Ended, shell: Shell) -> None:
    suggested = re.findall(r"^  (indexer .*)$", demo.out, flags=re.MULTILINE)
    assert len(suggested) == 3
    for command in suggested:
        ended = shell.run(command)
        assert (ended.code, bool(ended.out)) == (0, True), (command, ended.err)


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_note_on_a_code_block_is_a_known_one(page: Path) -> None:
    notes = [block.note for block in blocks(page, "bash", "python", "sql") if block.note]
    assert all(re.fullmatch(NOTES, note) for note in notes), notes


@pytest.mark.elasticsearch
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_commands_of_a_page_run(shell: Shell, playground: Playground, page: Path) -> None:
    for block in blocks(page, "bash", "python"):
        if block.note == "setup: the table users":
            make_users(playground)
        if block.language == "python" and block.runs:
            run_program(shell, block.text)
        elif block.runs:
            run_commands(shell, block)


def run_commands(shell: Shell, block: Block) -> None:
    """Run each command of a block; `make` targets are tested elsewhere."""
    for command in commands(block):
        if JOB in command:
            job = json.loads(shell.run("indexer jobs --json").out.splitlines()[0])["job"]
            command = command.replace(JOB, job)  # noqa: PLW2901  # the job on the page is only an example
        ended = (shell.interrupted if "--follow" in command else shell.run)(command)
        assert ended.code == block.exit_code, (command, ended.err)
        shown = ended.out or ended.err if " > " not in command else files(shell.folder)
        assert shown or "clean" in command, command


@pytest.mark.parametrize("page", TRANSLATED, ids=str)
def test_the_commands_of_a_translation_are_those_of_the_original(page: Path) -> None:
    """So that they need not run a second time; the comments beside them are translated."""
    assert shown_commands(page) <= shown_commands(TRANSLATED[page])


def shown_commands(page: Path) -> set[str]:
    lines = [line for block in blocks(page, "bash", "python") for line in block.text.splitlines()]
    return {re.sub(r"\s+#.*", "", line).strip() for line in lines} - {""}


def commands(block: Block) -> Iterator[str]:
    for line in block.text.splitlines():
        if re.match(r"(reindex|indexer) ", line.strip()):
            yield line.strip()
        else:  # the playground provides the servers
            assert re.match(r"(make |export (CRATEDB_URL|PATH)=|$)", line.strip()), line


def files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.stat().st_size]


def run_program(shell: Shell, program: str) -> None:
    (shell.folder / "program.py").write_text(program, "utf-8")
    ended = shell.run(f"{sys.executable} program.py")
    assert ended.code == 0, ended.err
    assert ended.out.strip()


def make_users(playground: Playground) -> None:
    """Create the table `users` that a page uses, beside the demo's table."""
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
def test_a_second_demo_loads_no_duplicates(demo: Ended, shell: Shell) -> None:
    assert f"{ROWS:,} rows in the table logs" in demo.out
    again = shell.run(f"indexer demo --rows {ROWS}")
    assert again.code == 0, again.err
    assert ", 0 of them loaded now" in again.out


WIDE = {"COLUMNS": "300", "TERMINAL_WIDTH": "300"}
COMMANDS = ("reindex", "plan", "mapping", "verify", "search", "jobs", "replay", "rollback", "demo", "up", "down")


@cache
def options_of(command: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", CliRunner().invoke(app, [command, "--help"], env=WIDE).output))


@pytest.mark.parametrize("page", pages(), ids=str)
def test_a_page_names_only_existing_options(page: Path) -> None:
    known = set().union(*map(options_of, COMMANDS)) | {"--help", "--install-completion"}
    lines = [
        line for line in (ROOT / page).read_text("utf-8").splitlines() if re.search(r"\b(indexer|reindex)\b", line)
    ]
    named = {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)}
    assert not {option for option in named - known if not short_hand(option)}


def short_hand(option: str) -> bool:
    """Whether the option is a shorthand defined by the mapping file."""
    return option in {"--level", "--service", "--host"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env=WIDE).output
    assert "Examples:" in shown
    assert f"{'reindex' if command == 'reindex' else f'indexer {command}'}" in shown
