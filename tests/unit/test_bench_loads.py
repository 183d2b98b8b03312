from dataclasses import replace
from pathlib import Path

import pytest

from bench.end_to_end import EndToEnd
from bench.figures import Spread
from bench.load_report import memory_report, scale_report
from bench.memory import Held, Memory
from bench.options import numbers, sizes
from bench.record import save
from bench.report import end_to_end_report
from bench.restarts import Restart
from bench.run import Compared, Run, Spent, Way
from bench.scale import FEW, Grid, Point, Scale, Scaled, default_point, measure
from bench.servers import Urls, target_server
from indexer.errors import UsageError
from tests.support.bench_records import MACHINE, a_record

MIB = 1 << 20
SPENT = Spent(seconds=1.0, client=0.2, source=0.3, target=0.45, machine=1.0)


def ran(way: Way, peak: int, rows: int = 1_000, seconds: float = 1.0) -> Run:
    return Run(way, rows, replace(SPENT, seconds=seconds), peak * MIB, documents=rows)


def held(way: Way, width: int, peak: int) -> Held:
    return Held(way, width, 1_000, ran(way, peak))


MEMORY = Memory(
    MACHINE,
    256 * MIB,
    (
        held(Way.REINDEX, 100, 90),
        held(Way.BULK, 100, 80),
        held(Way.REINDEX, 1_000_000, 300),
        held(Way.REINDEX, 1_000_000, 310),
        Held(Way.BULK, 1_000_000, 1_000, None, "MemoryError"),
    ),
)


def test_memory_is_judged_at_the_width_that_is_worst() -> None:
    goal = MEMORY.goals[0]
    assert goal.got == Spread(305, 300, 310)
    assert goal.wanted == 256 + 120
    assert goal.reached
    assert not replace(MEMORY, allowed=128 * MIB).goals[0].reached


def test_a_way_that_failed_at_a_width_says_why_and_has_no_figure() -> None:
    assert "failed: MemoryError" in memory_report(MEMORY)
    names = [figure.name for figure in MEMORY.figures]
    assert "crate cursor + helpers.bulk, rows of 100 bytes, peak" in names
    assert "crate cursor + helpers.bulk, rows of 1,000,000 bytes, peak" not in names


def test_memory_is_not_judged_where_reindex_lost_rows() -> None:
    short = Held(Way.REINDEX, 100, 1_001, ran(Way.REINDEX, 90))
    report = memory_report(replace(MEMORY, held=(*MEMORY.held, short)))
    assert "reindex, rows of 100 bytes: it is not complete" in report
    assert "reached" not in report


def test_a_grid_has_each_with_each_and_the_default_once() -> None:
    points = Grid((1, 2), (1, 2), (10_000,), (2 * MIB,)).points
    assert len(points) == len(set(points)) == 4
    assert points[0] == default_point() == Point(2, 2, 10_000, 2 * MIB)
    assert len(Grid((8,), (8,), (100,), (MIB,)).points) == 2


def test_a_point_is_what_reindex_is_told() -> None:
    told = ("--readers", "1", "--writers", "4", "--page", "500", "--batch-bytes", "1048576")
    assert Point(1, 4, 500, MIB).options == told


ANY_JOB = 1.5
"""Seconds that a job takes, whatever its rows."""


def grown(rows: int, microseconds: float) -> Scaled:
    return replace(few(rows), run=replace(few(rows).run, wall=ANY_JOB + (rows - FEW) * microseconds / 1e6))


def few(rows: int = FEW) -> Scaled:
    return Scaled(rows, default_point(), replace(ran(Way.REINDEX, 100, rows), wall=ANY_JOB))


def test_flat_is_a_ratio_within_one_round() -> None:
    point = Scaled(1_000, default_point(), ran(Way.REINDEX, 100))
    sizes = (grown(100_000, 20), grown(100_000, 40), grown(10**6, 21), grown(10**6, 44))
    found = Scale(MACHINE, (point,), (few(), *sizes))
    goal = found.goals[0]
    assert (goal.got.low, goal.got.high) == pytest.approx((1.05, 1.1))
    assert goal.reached
    report = scale_report(found)
    assert "reindex of 1,000 rows by its settings" in report
    assert "2 readers, 2 writers, page 10,000, batch 2,048 KiB (default)" in report
    assert "beyond those of a job of 1,000 rows, which takes 1.50 (1.50-1.50) s" in report
    assert "| 1,000,000 | 32.50 (21.00-44.00) |" in report
    assert "a row of 1,000,000, in times of one of 100,000: 1.08" in report
    assert replace(found, growth=found.growth[:3]).goals == ()


def test_flat_is_judged_from_the_smallest_table_to_the_largest_whatever_ran_first() -> None:
    runs = (grown(10**7, 30), grown(10**5, 20), grown(10**6, 21), grown(10**6, 22), grown(10**7, 32), grown(10**5, 20))
    found = Scale(MACHINE, (), (runs[0], few(), *runs[1:]))
    assert found.goals[0].what == "a row of 10,000,000, in times of one of 100,000"
    assert (found.goals[0].got.low, found.goals[0].got.high) == pytest.approx((1.5, 1.6))
    assert [x for x, _ in found.charts[1].series[0].points] == [10**5, 10**6, 10**7]


def test_tables_that_are_no_larger_than_what_they_are_held_against_are_refused() -> None:
    with pytest.raises(UsageError, match="--grow 1000 is too few"):
        measure(Urls("crate://nowhere", "http://nowhere"), 2_000, Grid((2,), (2,), (500,), (MIB,)), (FEW,), 1, print)


def test_the_heap_of_a_server_that_is_there_cannot_be_chosen() -> None:
    with pytest.raises(UsageError, match="leave it or --target out"), target_server("http://nowhere", heap=MIB):
        pass


def test_restarts_tell_what_was_left_and_what_was_written_again(tmp_path: Path) -> None:
    runs = tuple(ran(way, 100) for way in Way)
    same = Compared(compared=1_000, missing=3, extra=0, different=1)
    restart = Restart(Way.TUNED, 500, 2.5, 1_000, same, 2.4, 1_000)
    found = EndToEnd(MACHINE, 1_000, (runs,), (restart,))
    report = end_to_end_report(found)
    row = next(line for line in report.splitlines() if "1,000 in 2.5 s" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [
        "500",
        "1,000 in 2.5 s",
        "3 + 0 + 1",
        "1,000 in 2.4 s",
    ]
    file = tmp_path / "end-to-end.json"
    save(replace(a_record(), measured=found), file)
    assert '"missing": 3' in file.read_text()


def test_numbers_and_sizes_are_read_from_options() -> None:
    assert numbers("1000, 2_000") == (1_000, 2_000)
    assert sizes("512KiB,2MiB") == (512 << 10, 2 << 20)


@pytest.mark.parametrize("text", ["", "0", "1,", "x", "-1", "1.5"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no number or size"):
        numbers(text)


def test_settings_are_shown_in_the_order_of_their_numbers_whatever_ran_first() -> None:
    points = [Point(2, 2, page, MIB) for page in (10_000, 2_000, 500)]
    found = Scale(MACHINE, tuple(Scaled(1_000, point, ran(Way.REINDEX, 100)) for point in points), ())
    assert [point.page for point in found.rates] == [500, 2_000, 10_000]
    shown = [line for line in scale_report(found).splitlines() if line.startswith("| 2 readers")]
    assert [line.split("page ")[1].split(", batch")[0] for line in shown] == ["500", "2,000", "10,000"]
