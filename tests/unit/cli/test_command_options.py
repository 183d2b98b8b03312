"""Options of all commands: every command that connects to a server has its credential options."""

import pytest

from indexer.access import SourceAccess, TargetAccess
from indexer.cli.main import COMMANDS, load_command
from tests.support.commands import run

CREDENTIALS = {
    "source": SourceAccess.model_fields.keys() - {"url"},
    "target": TargetAccess.model_fields.keys() - {"url"},
}
"""By side, the settings for authentication and TLS."""

FINDS_ONLY = {"up"}
"""Only checks whether a server answers at a URL, so it needs no credentials beyond the URL."""


def options(command: str) -> set[str]:
    return {str(parameter.name) for parameter in load_command(command).params}


@pytest.mark.parametrize("side", CREDENTIALS)
@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - FINDS_ONLY))
def test_a_command_with_a_server_option_has_all_its_credential_options(command: str, side: str) -> None:
    there = options(command)
    wanted = {f"{side}_{name}" for name in CREDENTIALS[side]}
    assert there & wanted == (wanted if side in there else set())


def test_exactly_the_expected_commands_have_source_and_target_options() -> None:
    assert {name for name in COMMANDS if "source" in options(name)} == {
        "mapping", "plan", "reindex", "replay", "up", "verify",
    }  # fmt: skip
    assert {name for name in COMMANDS if "target" in options(name)} == {
        "jobs", "mapping", "plan", "reindex", "replay", "rollback", "search", "up", "verify",
    }  # fmt: skip


@pytest.mark.parametrize(("named", "sentence"), [("", "rollback requires the alias"), ("logs", "http://127.0.0.1:1")])
def test_rollback_reads_the_alias_from_the_environment(named: str, sentence: str) -> None:
    ended = run("indexer", "rollback", "--target", "http://127.0.0.1:1", INDEXER_INDEX=named)
    assert (ended.code, sentence in ended.err) == (2, True), ended.err
