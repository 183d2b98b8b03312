from dataclasses import replace

import orjson
import pytest

from bench.end_to_end import EndToEnd
from bench.figures import Spread
from bench.machine import Machine, ServerFacts
from bench.paging import Depth, Paging, Walked
from bench.report import (
    end_to_end_json,
    end_to_end_report,
    paging_json,
    paging_report,
    verifying_json,
    verifying_report,
)
from bench.run import Run, Spent, Way
from bench.verifying import Verified, Verifying
from indexer.settings import Strategy

MACHINE = Machine(
    cores=2,
    cpu="A processor",
    memory=24 * 2**30,
    system="Linux",
    python="3.11.7",
    packages={"crate": "2.3.0"},
    commit="abc1234+",
    cratedb=ServerFacts("6.4.3", 2 * 2**30, 1),
    elasticsearch=ServerFacts("9.2.0", 2**30, 1),
)
RATES = {
    Way.READ: 190_000,
    Way.WRITE: 72_000,
    Way.REINDEX: 47_500,
    Way.BULK: 19_000,
    Way.TUNED: 22_000,
    Way.PARALLEL: 27_000,
}


@pytest.fixture
def found() -> EndToEnd:
    runs = tuple(
        Run(way, 1000, Spent(1000 / rate, 0.004, 0.01, 0.03, machine=0.05), 140_000_000, documents=1000)
        for way, rate in RATES.items()
    )
    return EndToEnd(MACHINE, 1000, (runs, runs))


def test_the_table_has_a_line_for_each_way_and_the_bound_after_both_its_parts(found: EndToEnd) -> None:
    table = [line.split("|")[1].strip() for line in end_to_end_report(found).splitlines() if line.startswith("|")]
    read, write, *others = map(str, Way)
    assert table[2:] == [read, write, "bound `1/(1/read + 1/write)`", *others]


def test_figures_are_rounded_for_people(found: EndToEnd) -> None:
    report = end_to_end_report(found)
    assert "47,500 (47,500-47,500)" in report
    assert "reindex, in times of crate cursor + helpers.bulk: 2.50 (2.50-2.50), wanted at least 2.3: reached" in report
    assert "4.0 + 10.0 + 30.0" in report
    assert "Elasticsearch 9.2.0, one node, 1.0 GiB heap" in report


def test_an_incomplete_way_is_shouted(found: EndToEnd) -> None:
    *first, last = found.rounds[0]
    report = end_to_end_report(replace(found, rounds=((*first, replace(last, documents=999)),)))
    assert [line for line in report.splitlines() if line.endswith(" NO |")] == [
        line for line in report.splitlines() if line.startswith(f"| {Way.PARALLEL}")
    ]
    assert f"- round 1, {Way.PARALLEL}: it is not complete" in report
    assert "reached" not in report


def test_noise_is_named_and_no_goal_is_judged_by_it(found: EndToEnd) -> None:
    first, *others = found.rounds[0]
    noisy = replace(first, spent=replace(first.spent, machine=0.1))
    report = end_to_end_report(replace(found, rounds=((noisy, *others),)))
    assert "- round 1, reading alone: others took 56% of the CPU time" in report
    assert "reached" not in report


def test_json_has_every_run_and_the_figures(found: EndToEnd) -> None:
    told = orjson.loads(end_to_end_json(found))
    assert len(told["measured"]["rounds"]) == 2
    assert told["bound"]["median"] == pytest.approx(52_213, abs=1)
    assert [line["way"] for line in told["lines"]] == list(Way)


def test_paging_names_the_error_where_a_depth_has_no_time() -> None:
    even = Spread(17.04, 17, 18)
    quiet = Spent(60, 20, 38, 0, machine=60)
    paging = Paging(
        machine=replace(MACHINE, elasticsearch=None),
        rows=9_500,
        walks=(Walked(9_500, 1, (17, *(17.04,) * 8, 17), quiet), Walked(9_500, 1, (17, *(18.0,) * 8, 18.7), quiet)),
        depths=(
            Depth(Strategy.KEYSET, 0.5, even),
            Depth(Strategy.OFFSET, 1.0, None, "TooMuchAtOnce: the breaker"),
        ),
    )
    report = paging_report(paging)
    assert "17.9 (17.0-18.7)" in report, "the tenth tenth"
    assert "17.0 (17.0-18.0)" in report, "a depth"
    assert "TooMuchAtOnce: the breaker" in report
    assert "1.05 (1.00-1.10), wanted at most 1.2: reached" in report
    assert "Elasticsearch" not in report
    assert orjson.loads(paging_json(paging))["measured"]["rows"] == 9_500


def test_a_walk_that_others_disturbed_is_not_judged() -> None:
    walk = Walked(9_500, 1, (17.0,) * 10, Spent(60, 20, 38, 0, machine=120))
    report = paging_report(Paging(MACHINE, 9_500, (walk,), ()))
    assert "- walk 1: others took 52% of the CPU time" in report
    assert "reached" not in report


def test_a_walk_that_lost_rows_is_not_judged() -> None:
    walk = Walked(9_499, 1, (17.0,) * 10, Spent(60, 20, 38, 0, machine=60))
    report = paging_report(Paging(MACHINE, 9_500, (walk,), ()))
    assert "- walk 1: it is not complete" in report
    assert "reached" not in report


def test_verifications_are_judged_by_their_rows_a_second_and_their_memory() -> None:
    spent = Spent(11, 0.01, 0.007, None, machine=0.03)
    slow = Verified(1_000, same=True, seconds=1_000 / 50_000, spent=spent, peak_rss=210_000_000)
    quick = Verified(1_000, same=True, seconds=1_000 / 61_000, spent=spent, peak_rss=150_000_000)
    report = verifying_report(Verifying(MACHINE, 1_000, (slow, quick, quick)))
    assert "verify --full, rows/s: 61,000 (50,000-61,000), wanted at least 60,000: reached" in report
    assert "verify --full, peak memory in MB: 150.00 (150.00-210.00), wanted at most 200: reached" in report
    assert "10.0 + 7.0 + ?" in report
    told = orjson.loads(verifying_json(Verifying(MACHINE, 1_000, (slow,))))
    assert told["rate"]["median"] == pytest.approx(50_000)
    assert told["measured"]["rounds"][0]["peak_rss"] == 210_000_000


def test_a_verification_that_found_faults_or_left_rows_out_is_not_judged() -> None:
    good = Verified(1_000, same=True, seconds=0.01, spent=Spent(11, 0.01, 0.007, 0.02, machine=0.04), peak_rss=1)
    assert "reached" in verifying_report(Verifying(MACHINE, 1_000, (good,)))
    for one in (replace(good, same=False), replace(good, rows=999)):
        report = verifying_report(Verifying(MACHINE, 1_000, (one,)))
        assert "- round 1: it did not compare every row, or found faults" in report
        assert "reached" not in report
