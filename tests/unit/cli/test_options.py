"""Each option is stated once, in `Settings`: the command line, its help and the documentation are made from it."""

import re
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from indexer.cli.main import COMMANDS, app
from indexer.cli.options import BEGIN, END, markdown_table, rewrite_table, setting_names
from indexer.option import OptionGroup
from indexer.settings import Settings, environment_variables, option_name, option_of

GROUPS = {
    "reindex": {group.value for group in OptionGroup},
    "plan": {group.value for group in OptionGroup},
    "mapping": {"Table", "Index", "Source", "Target", "Output"},
    "jobs": {"Job", "Target", "Output"},
    "replay": {"Index", "Limits", "Job", "Source", "Target", "Output"},
    "rollback": {"Index", "Target"},
    "verify": {group.value for group in OptionGroup},
    "search": {"Query", "Output", "How much", "Index", "Target"},
    "demo": set(),
    "up": {"Source", "Target"},
    "down": set(),
}
"""The headings of each command's options, besides those of its own."""


def help_of(*words: str, columns: int = 80) -> str:
    with patch("typer.rich_utils.MAX_WIDTH", columns):
        return CliRunner().invoke(app, [*words, "--help"]).output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_only_the_groups_that_the_command_uses(command: str) -> None:
    headings = set(re.findall(r"^╭─ ([\w ]+) ─", help_of(command), re.MULTILINE))
    assert headings - {"Options", "Arguments"} == GROUPS[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_80_columns_and_has_examples(command: str) -> None:
    shown = help_of(command)
    assert max(map(len, shown.splitlines())) <= 80
    assert COMMANDS[command].summary.replace("`", "").split(",")[0][:40] in shown
    examples = shown.partition("Examples:")[2].strip().splitlines()
    named = "reindex " if command == "reindex" else f"indexer {command}"
    assert any(line.strip().startswith(named) for line in examples), examples
    assert "\\" not in shown


def test_the_list_of_commands_shows_all() -> None:
    shown = help_of()
    assert all(f"│ {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_help_has_an_option_s_environment_variable(name: str) -> None:
    shown = " ".join(help_of("reindex", columns=1_000).split())
    assert option_name(name) in shown
    assert f"{option_of(name).help.replace('`', '')} [env: {', '.join(environment_variables(name))}]" in shown


def test_a_name_that_is_no_setting_is_an_error() -> None:
    with pytest.raises(KeyError, match="pgae"):
        setting_names(["pgae"])


def test_the_table_has_every_setting() -> None:
    rows = [line for line in markdown_table().splitlines() if line.startswith("| `")]
    assert len(rows) == len(Settings.model_fields)
    assert "| `--page` | `INDEXER_PAGE` | `page` | `10000` | rows | Most rows per page. |" in rows
    assert any("`--source-verify` / `--no-source-verify`" in row for row in rows)


def test_the_documentation_has_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "options.md").read_text("utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == markdown_table(), (
        "run: python -m indexer.cli.options docs/options.md"
    )


def test_the_table_is_rewritten_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "options.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    for _ in range(2):
        rewrite_table(page)
        assert page.read_text("utf-8") == f"before\n{BEGIN}\n\n{markdown_table()}\n\n{END}\nafter\n"
