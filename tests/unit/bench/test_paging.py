from dataclasses import replace

import pytest

from bench.meter.usage import Usage
from bench.scenarios.page_curves import DEPTHS, PageTime
from bench.scenarios.page_sql import PageKey, PageStrategy
from bench.scenarios.paging import PagingPlan, Walk, paging_record, tenths
from tests.support.bench_records import MACHINE

QUIET = Usage(60, 20, 38, 0, machine=60)
PLAN = PagingPlan((9_500,), 500, repeat=2)


def page(strategy: PageStrategy, depth: float, milliseconds: float | None, error: str | None = None) -> PageTime:
    passed, rows = int(depth * 9_000), 500 if milliseconds else 0
    return PageTime(PageKey.SEQUENTIAL, strategy, 9_500, depth, passed, milliseconds, rows, error)


PAGES = (
    *(page(PageStrategy.OFFSET, depth, 20 + 100 * depth) for depth in DEPTHS if depth < 0.8),
    *(page(PageStrategy.OFFSET, depth, None, "CircuitBreakingException[1.2gb]") for depth in DEPTHS if depth >= 0.8),
    *(page(PageStrategy.WINDOW, depth, 17.0 + spare) for depth in DEPTHS for spare in (0, 2)),
)
WALK = Walk(9_500, 1, (17.0,) * 9 + (17.9,), QUIET)
WALKS = (WALK, replace(WALK, tenths=(17.0,) * 9 + (18.7,)))


def report(*walks: Walk) -> str:
    return paging_record(PLAN, MACHINE, walks or WALKS, PAGES).report


def cells(*start: str) -> list[str]:
    """The cells of the only line whose first ones are these."""
    lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in report().splitlines())
    (found,) = (line for line in lines if line[: len(start)] == list(start))
    return found


def test_pages_have_a_median_and_a_spread_in_each_fifth_and_a_failure_is_named() -> None:
    offset = cells("sequential BIGINT", "offset")
    assert offset[2:6] == ["30.00 (20.00-40.00)", "50.00 (40.00-60.00)", "70.00 (60.00-80.00)", "85.00 (80.00-90.00)"]
    assert offset[6] == "failed"
    assert "fails at 80% of 9,500 rows" in offset[7]
    assert "18.00 (17.00-19.00)" in cells("sequential BIGINT", "window")


def test_the_goal_is_of_the_walks() -> None:
    assert "1.08 (1.05-1.10), wanted at most 1.2: reached" in report()


@pytest.mark.parametrize(
    ("walk", "doubt"),
    [
        (replace(WALK, usage=replace(QUIET, machine=120)), "- walk 1: other programs took 52% of the CPU time"),
        (replace(WALK, rows=9_499), "- walk 1: it is not complete"),
    ],
)
def test_a_walk_that_others_disturbed_or_that_lost_rows_is_not_judged(walk: Walk, doubt: str) -> None:
    assert doubt in report(walk)
    assert "reached" not in report(walk)


def test_a_page_belongs_to_the_tenth_of_the_rows_where_it_begins() -> None:
    pages = [(5, float(number)) for number in range(20)]
    assert tenths(pages) == tuple(2 * number + 0.5 for number in range(10))


def test_tenths_are_of_rows_and_not_of_pages() -> None:
    many_small, few_large = [(1, 1.0)] * 50, [(10, 9.0)] * 5
    assert tenths([*many_small, *few_large]) == (1.0,) * 5 + (9.0,) * 5


def test_an_empty_page_at_the_end_stays_in_the_last_tenth() -> None:
    assert tenths([(10, 1), (0, 5)])[-1] == 5


def test_a_tenth_in_which_no_page_begins_has_no_time() -> None:
    assert tenths([(10, 4)]) == (4.0,) + (0.0,) * 9
