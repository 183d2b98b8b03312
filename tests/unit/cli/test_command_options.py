"""The options of every command, as typer knows them: whoever reaches a server can prove who they are."""

import pytest
from typer.main import get_command

from indexer.cli.main import app
from indexer.settings import SourceAccess, TargetAccess
from tests.support.commands import run

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]  # a group, which typer's type does not say

CREDENTIALS = {
    "source": SourceAccess.model_fields.keys() - {"url"},
    "target": TargetAccess.model_fields.keys() - {"url", "sniff"},
}
"""Of each side the settings by which a server is convinced, and convinces."""

FINDS_ONLY = {"up"}
"""Looks whether somebody answers at a URL; what is in the URL is all that it needs for that."""


def options(command: str) -> set[str]:
    return {parameter.name for parameter in COMMANDS[command].params}


@pytest.mark.parametrize("side", CREDENTIALS)
@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - FINDS_ONLY))
def test_a_command_that_reaches_a_server_has_all_credential_options_of_its_side(command: str, side: str) -> None:
    there = options(command)
    wanted = {f"{side}_{name}" for name in CREDENTIALS[side]}
    assert there & wanted == (wanted if side in there else set())


def test_the_commands_that_reach_a_server_are_known_to_this_test() -> None:
    assert {name for name in COMMANDS if "source" in options(name)} == {
        "mapping", "plan", "reindex", "replay", "up", "verify",
    }  # fmt: skip
    assert {name for name in COMMANDS if "target" in options(name)} == {
        "jobs", "mapping", "plan", "reindex", "replay", "rollback", "search", "up", "verify",
    }  # fmt: skip


@pytest.mark.parametrize(("named", "sentence"), [("", "No alias is named"), ("logs", "http://127.0.0.1:1")])
def test_the_alias_to_switch_back_comes_from_the_environment_too(named: str, sentence: str) -> None:
    ended = run("indexer", "rollback", "--target", "http://127.0.0.1:1", INDEXER_INDEX=named)
    assert (ended.code, sentence in ended.err) == (2, True), ended.err
