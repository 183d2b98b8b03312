import pytest
from typer.testing import CliRunner

from bench.__main__ import app, numbers, sizes
from indexer.errors import UsageError


def test_numbers_and_sizes_are_read_from_options() -> None:
    assert numbers("1000, 2_000") == (1_000, 2_000)
    assert sizes("512KiB,2MiB") == (512 << 10, 2 << 20)


@pytest.mark.parametrize("text", ["", "0", "1,", "x", "-1", "1.5"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no number or size"):
        numbers(text)


def test_every_scenario_is_a_command() -> None:
    names = {command.name or str(getattr(command.callback, "__name__", "")) for command in app.registered_commands}
    scenarios = {"paging", "end-to-end", "memory", "scale", "search", "verify", "mapping", "ha"}
    assert names == scenarios | {"all", "report", "compare"}
    assert all(name in CliRunner().invoke(app, ["--help"]).output for name in names)
