from dataclasses import astuple, replace

import pytest

from bench.curves import DEPTHS, Curves, Sample, Whole
from bench.page_sql import Key, Strategy
from bench.paging import Paging, Plan, Walked
from bench.paging_report import paging_report
from bench.run import Spent
from bench.watching import Load
from tests.support.bench_records import MACHINE

QUIET = Spent(60, 20, 38, 0, machine=60)
PLAN = Plan((9_500,), 500, repeat=2, limit=30, once=10_000)


def page(strategy: Strategy, depth: float, milliseconds: float | None, error: str | None = None) -> Sample:
    passed = int(depth * 9_000)
    return Sample(Key.SEQUENTIAL, strategy, 9_500, depth, passed, milliseconds, 500 if milliseconds else 0, error)


SAMPLES = (
    *(page(Strategy.OFFSET, depth, 20 + 100 * depth) for depth in DEPTHS[:-1]),
    page(Strategy.OFFSET, 1.0, None, "CircuitBreakingException[would use 1.2gb]"),
    *(page(Strategy.WINDOW, depth, 17.0 + spare) for depth in DEPTHS for spare in (0, 2)),
)
CURVES = Curves(
    SAMPLES,
    (
        Whole(Key.SEQUENTIAL, Strategy.OFFSET, 9_500, None, measured=False, rows=9_500),
        Whole(Key.SEQUENTIAL, Strategy.KEYSET, 9_500, 3.2, measured=True, rows=9_499),
        Whole(Key.SEQUENTIAL, Strategy.WINDOW, 9_500, 40.0, measured=False, rows=9_500),
    ),
    (Load("sequential BIGINT, offset, at 100%", 3 << 20, 900 << 20, 2 << 30, 5, 0, "CircuitBreakingException"),),
)
WALK = Walked(9_500, 1, (17.0,) * 9 + (17.9,), QUIET)
FOUND = Paging(MACHINE, 9_500, (WALK, replace(WALK, tenths=(17.0,) * 9 + (18.7,))), CURVES)


def cells(report: str, start: str) -> list[list[str]]:
    """The rows of all tables that begin with these words, each as its cells."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in report.splitlines() if line.startswith(start)
    ]


def test_pages_have_a_median_and_a_spread_at_each_depth_and_a_failure_is_named() -> None:
    offset, whole = cells(paging_report(FOUND, PLAN), "| sequential BIGINT |   offset")
    assert offset[2:] == ["20.0 (20.0-20.0)", "30.0 (30.0-30.0)", "70.0 (70.0-70.0)", "110.0 (110.0-110.0)", "failed"]
    assert whole[2] == "failed"
    assert "fails at 100% of 9,500 rows" in whole[3]
    assert "17.0-19.0" in paging_report(FOUND, PLAN)


def test_a_whole_table_that_was_reckoned_is_marked_and_one_that_lost_rows_is_shouted() -> None:
    report = paging_report(FOUND, PLAN)
    assert cells(report, "| sequential BIGINT |   keyset")[1][2] == "3.2 INCOMPLETE: 9,499"
    assert cells(report, "| sequential BIGINT |   window")[1][2] == "~40.0"


def test_what_the_server_counted_is_shown_with_what_tripped_it() -> None:
    row = cells(paging_report(FOUND, PLAN), "| sequential BIGINT, offset, at 100%")[0]
    assert row[1:] == ["3.0", "900 of 2,048", "0", "CircuitBreakingException"]


def test_the_goal_is_of_the_walks() -> None:
    assert "1.08 (1.05-1.10), wanted at most 1.2: reached" in paging_report(FOUND, PLAN)
    assert astuple(FOUND.tenths[-1]) == pytest.approx((18.3, 17.9, 18.7))


@pytest.mark.parametrize(
    ("walk", "doubt"),
    [
        (replace(WALK, spent=replace(QUIET, machine=120)), "- walk 1: others took 52% of the CPU time"),
        (replace(WALK, rows=9_499), "- walk 1: it is not complete"),
    ],
)
def test_a_walk_that_others_disturbed_or_that_lost_rows_is_not_judged(walk: Walked, doubt: str) -> None:
    report = paging_report(replace(FOUND, walks=(walk,)), PLAN)
    assert doubt in report
    assert "reached" not in report


def test_the_curves_are_drawn_over_depth_on_a_logarithmic_axis() -> None:
    chart = CURVES.charts[0]
    assert chart.log_y
    drawn = {one.name: one.points for one in chart.series}
    assert drawn["offset"][-1] == (90.0, 110.0), "what failed has no point"
    assert drawn["window"][5] == (50.0, 18.0)


def test_each_depth_is_a_figure_with_all_its_samples() -> None:
    samples = {one.name: one.samples for one in CURVES.figures}
    assert samples["sequential BIGINT, window, 9,500 rows, at 50%"] == (17.0, 19.0)
    assert "sequential BIGINT, offset, 9,500 rows, at 100%" not in samples
