"""The README's commands, run as it writes them, on the demo's own servers."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.cli.demo_commands import REINDEX, SEARCHES
from indexer.cli.main import app
from tests.commands import Ended, environment, run

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
ROWS = 20_000


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """The commands of the README's console blocks, without their comments."""
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture(scope="module")
def demo(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """`make demo` is `indexer demo`."""
    folder = tmp_path_factory.mktemp("demo")
    ended = run("indexer", "demo", "--rows", str(ROWS), cwd=folder, timeout=240, ELASTICSEARCH_URL=elasticsearch_url)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def servers(demo: Ended, elasticsearch_url: str) -> dict[str, str]:
    """What the demo says to export."""
    exported = {name: shlex.split(value)[0] for name, value in re.findall(r"export (\w+)=(.*)", demo.out)}
    assert exported["ELASTICSEARCH_URL"] == elasticsearch_url
    return exported


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
def test_an_example_runs_as_written(servers: dict[str, str], search: str, tmp_path: Path) -> None:
    assert f"\n{search}" in TEXT
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", f"exec {search}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(**servers, PATH=path),
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    if "--follow" in search:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert first or (tmp_path / "auth.ndjson").stat().st_size


@pytest.mark.elasticsearch
def test_the_commands_run(servers: dict[str, str], tmp_path: Path) -> None:
    ran = 0
    for words in commands():
        if words[0] not in {"reindex", "indexer"} or words[1] == "search":
            continue
        local = [word for word in words if not word.startswith(("crate://", "https://"))]
        local = [word for word in local if word not in {"--source", "--target"}]
        ended = run(*local, cwd=tmp_path, timeout=120, **servers)
        assert ended.code == 0, (words, ended.err)
        assert ended.out
        ran += 1
    assert ran >= 4


@pytest.mark.elasticsearch
def test_a_second_demo_doubles_nothing(demo: Ended, servers: dict[str, str], tmp_path: Path) -> None:
    assert f"{ROWS:,} rows in the table logs" in demo.out
    again = run("indexer", "demo", "--rows", str(ROWS), cwd=tmp_path, timeout=240, **servers)
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
