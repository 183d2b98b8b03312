import pytest

from tests.support.attack_table import AttackRecord, attack_table


def test_cases_of_an_attack_share_a_row_and_the_last_row_is_the_sum() -> None:
    kill, narrow, wide, unsaid, broken = (
        AttackRecord(name) for name in ("kills", "kills", "kills", "a cut", "a restart")
    )
    kill.tried(10, rows=60_000)
    narrow.tried(10, rows=500_000)
    wide.tried(rows=40, memory="64MiB", peak=106 * 2**20)
    broken.failed = True
    assert attack_table([kill, narrow, wide, unsaid, broken]) == [
        "| attack           | tried |    rows | lost | `--memory` | peak RSS |",
        "|------------------|------:|--------:|-----:|-----------:|---------:|",
        "| kills            |    20 | 560,000 |    0 |            |          |",
        "| kills            |     1 |      40 |    0 |      64MiB |  106 MiB |",
        "| a cut            |     1 |         |      |            |          |",
        "| a restart FAILED |     1 |         |      |            |          |",
        "| all              |    23 | 560,040 |    0 |            |          |",
    ]


def test_a_lost_row_fails_the_attack_and_is_shown_in_the_table() -> None:
    attack = AttackRecord("a cut")
    with pytest.raises(AssertionError, match="2 of 100 rows are lost"):
        attack.tried(rows=100, lost=2)
    assert [cell.strip() for cell in attack_table([attack])[2].split("|")[1:5]] == ["a cut", "1", "100", "2"]


def test_without_attacks_there_is_no_table() -> None:
    assert attack_table([]) == []
