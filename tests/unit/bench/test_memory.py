from bench.competitors.task import Competitor, Run
from bench.meter.usage import Usage
from bench.report.record import Record, Role, Spread
from bench.scenarios.memory import MIB, Held, MemoryPlan, memory_record
from tests.support.bench_records import MACHINE

USAGE = Usage(seconds=1.0, client=0.2, source=0.3, target=0.45, machine=1.0)


def held(competitor: Competitor, width: int, peak: int, rows: int = 1_000) -> Held:
    return Held(competitor, width, rows, Run(competitor, 1_000, USAGE, peak * MIB, documents=1_000))


FAILED = Held(Competitor.BULK, 1_000_000, 1_000, None, "MemoryError")
HELD = (
    held(Competitor.REINDEX, 100, 90),
    held(Competitor.BULK, 100, 80),
    held(Competitor.REINDEX, 1_000_000, 300),
    held(Competitor.REINDEX, 1_000_000, 310),
    FAILED,
)


def record(*more: Held, allowed: int = 256) -> Record:
    return memory_record(MemoryPlan((100, 1_000_000), MIB, allowed * MIB, 2), MACHINE, (*HELD, *more))


def test_memory_is_judged_at_the_width_that_is_worst() -> None:
    (goal,) = record().goals
    assert goal.got == Spread(305, 300, 310)
    assert goal.wanted == 256 + 120
    assert goal.reached
    assert not record(allowed=128).goals[0].reached


def test_a_competitor_that_failed_at_a_width_says_why_and_has_no_figure() -> None:
    found = record()
    assert "failed: MemoryError" in found.report
    names = [figure.name for figure in found.figures]
    assert "crate cursor + helpers.bulk, rows of 100 bytes, peak" in names
    assert "crate cursor + helpers.bulk, rows of 1,000,000 bytes, peak" not in names


def test_memory_is_not_judged_where_reindex_lost_rows() -> None:
    report = record(held(Competitor.REINDEX, 100, 90, rows=1_001)).report
    assert "reindex, rows of 100 bytes: it is not complete" in report
    assert "reached" not in report


def test_what_was_allowed_is_drawn_across_all_widths() -> None:
    limit = [one for one in record().figures if one.role is Role.CEILING]
    assert [(one.x, one.samples) for one in limit] == [(100, (256,)), (1_000_000, (256,))]
