from dataclasses import replace

import pytest

from bench.machine import Machine, ServerFacts
from bench.report import searching_report
from bench.run import Spent
from bench.searching import Deep, Searching

SERVER = ServerFacts("9.2.0", 2**30, 1)
MACHINE = Machine(2, "A processor", 2**34, "Linux", "3.11.7", {}, None, SERVER, SERVER)
DEEP = Deep(1_000, 120_000_000, Spent(seconds=0.016, client=0.01, source=0.0, target=0.01, machine=0.02))


@pytest.fixture
def found() -> Searching:
    return Searching(MACHINE, 1_000, (DEEP,), piped=(0.3, 0.31, 0.5), terminal=(0.39, 0.41, 0.45))


def test_each_goal_is_judged_by_its_median(found: Searching) -> None:
    assert [goal.reached for goal in found.goals] == [True, True, True, False]
    report = searching_report(found)
    assert (
        "every document to NDJSON, thousand hits a second: 62.50 (62.50-62.50), wanted at least 50: reached" in report
    )
    assert "the first example to a terminal, CPU seconds: 0.41 (0.39-0.45), wanted at most 0.4: MISSED" in report


def test_a_run_that_missed_documents_is_no_figure(found: Searching) -> None:
    short = replace(found, deep=(replace(DEEP, hits=999),))
    assert "run 1: it is not complete" in searching_report(short)
    assert "reached" not in searching_report(short)
