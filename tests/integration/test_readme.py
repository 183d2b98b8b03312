"""The README's commands, run as it writes them, on the demo's own servers."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.cli.main import app
from tests.commands import run

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """The commands of the README's console blocks, without their comments."""
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.mark.elasticsearch
def test_the_demo_and_the_commands_after_it_run(elasticsearch_url: str, tmp_path: Path) -> None:
    """`make demo` is `indexer demo`; then the README's commands against what it left."""
    demo = run("indexer", "demo", "--rows", "20000", cwd=tmp_path, timeout=240, ELASTICSEARCH_URL=elasticsearch_url)
    assert demo.code == 0, demo.err
    assert "$ reindex --table logs --page 10000" in demo.out
    exported = re.findall(r"export (\w+)=(.*)", demo.out)
    servers: dict[str, str] = {name: shlex.split(value)[0] for name, value in exported}
    assert servers["ELASTICSEARCH_URL"] == elasticsearch_url
    ran = 0
    for words in commands():
        if words[0] not in {"reindex", "indexer"}:
            continue
        local = [word for word in words if not word.startswith(("crate://", "https://"))]
        local = [word for word in local if word not in {"--source", "--target"}]
        ended = run(*local, cwd=tmp_path, timeout=120, **servers)
        assert ended.code == 0, (words, ended.err)
        assert ended.out
        ran += 1
    assert ran >= 4


def test_a_second_demo_doubles_nothing(elasticsearch_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        demo = run("indexer", "demo", "--rows", "20000", cwd=tmp_path, timeout=240, ELASTICSEARCH_URL=elasticsearch_url)
        assert demo.code == 0, demo.err
    assert "0 of them loaded now" in demo.out


def test_every_option_of_reindex_is_in_the_readme_and_the_other_way_round() -> None:
    shown = {command: options_of(command) for command in COMMANDS}
    written = set(re.findall(r"`[^`\n]*?(--[a-z][a-z-]+)", TEXT)) | set(re.findall(r"`(--[a-z][a-z-]+)", TEXT))
    assert shown["reindex"] - written == {"--debug", "--switch", "--no-target-sniff"}
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
