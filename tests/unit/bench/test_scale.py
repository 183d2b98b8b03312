from dataclasses import replace

import pytest

from bench.competitors.task import Competitor, Run
from bench.meter.servers import Servers, target_server
from bench.meter.usage import Usage
from bench.report.record import Record
from bench.scenarios.scale import FEW, Point, Scaled, ScalePlan, default_point, run_scale, scale_record
from indexer.errors import UsageError
from tests.support.bench_records import MACHINE

MIB = 1 << 20
PLAN = ScalePlan(1_000, (1, 2), (1, 2), (10_000,), (2 * MIB,), (100_000, 1_000_000), 1)
USAGE = Usage(seconds=1.0, client=0.2, source=0.3, target=0.45, machine=1.0)

ANY_JOB = 1.5
"""Seconds that a job takes, whatever its rows."""


def ran(rows: int, microseconds: float = 0.0, point: Point | None = None) -> Scaled:
    """A run that takes so much for each row beyond `FEW`."""
    wall = ANY_JOB + (rows - FEW) * microseconds / 1e6
    run = Run(Competitor.REINDEX, rows, USAGE, 100 * MIB, wall, documents=rows)
    return Scaled(rows, point or default_point(), run)


def record(*growth: Scaled, grid: tuple[Scaled, ...] = ()) -> Record:
    return scale_record(PLAN, MACHINE, grid, (ran(FEW), *growth))


def test_a_grid_has_each_with_each_and_the_default_once() -> None:
    assert len(PLAN.points) == len(set(PLAN.points)) == 4
    assert PLAN.points[0] == default_point() == Point(2, 2, 10_000, 2 * MIB)
    assert len(replace(PLAN, readers=(8,), writers=(8,)).points) == 2


def test_a_point_is_what_reindex_is_told() -> None:
    told = ("--readers", "1", "--writers", "4", "--page", "500", "--batch-bytes", "1048576")
    assert Point(1, 4, 500, MIB).options == told


def test_flat_is_a_ratio_within_one_round() -> None:
    sizes = (ran(100_000, 20), ran(100_000, 40), ran(10**6, 21), ran(10**6, 44))
    found = record(*sizes, grid=(ran(1_000),))
    (goal,) = found.goals
    assert (goal.got.low, goal.got.high) == pytest.approx((1.05, 1.1))
    assert goal.reached
    assert "page 10,000, batch 2,048 KiB" in found.report
    assert "2 readers (default)" in found.report
    assert "beyond those of a job of 1,000 rows" in found.report
    added = {one.name: one.spread.median for one in found.figures if one.series == "wall time"}
    assert added == {
        "a row of 100,000, wall time": pytest.approx(30),
        "a row of 1,000,000, wall time": pytest.approx(32.5),
    }
    assert "a row of 1,000,000, in times of one of 100,000: 1.08" in found.report
    assert record(*sizes[:2]).goals == ()


def test_flat_is_judged_from_the_smallest_table_to_the_largest_whatever_ran_first() -> None:
    runs = (ran(10**7, 30), ran(10**5, 20), ran(10**6, 21), ran(10**6, 22), ran(10**7, 32), ran(10**5, 20))
    found = record(*runs)
    assert found.goals[0].what == "a row of 10,000,000, in times of one of 100,000"
    assert (found.goals[0].got.low, found.goals[0].got.high) == pytest.approx((1.5, 1.6))
    assert [one.x for one in found.figures if one.series == "wall time"] == [10**5, 10**6, 10**7]


def test_settings_are_shown_in_the_order_of_their_numbers_whatever_ran_first() -> None:
    points = [Point(2, 2, page, MIB) for page in (10_000, 2_000, 500)]
    found = record(grid=tuple(ran(1_000, point=point) for point in points))
    assert [one.panel.split(",", 2)[:2] for one in found.figures if one.chart == "scale"] == [
        ["page 500", " batch 1"],
        ["page 2", "000"],
        ["page 10", "000"],
    ]


def test_tables_that_are_no_larger_than_what_they_are_compared_with_are_refused() -> None:
    with pytest.raises(UsageError, match="--grow 1000 is too few"):
        run_scale(Servers("crate://nowhere", "http://nowhere"), replace(PLAN, grow=(FEW,)), print)


def test_the_heap_of_a_server_that_is_there_cannot_be_chosen() -> None:
    with pytest.raises(UsageError, match="leave out --target or"), target_server("http://nowhere", heap=MIB):
        pass
