from dataclasses import replace

from bench.meter.usage import Usage
from bench.report.record import Record
from bench.scenarios.search import Export, search_record
from tests.support.bench_records import MACHINE

EXPORT = Export(1_000, 120_000_000, Usage(seconds=0.016, client=0.01, source=0.0, target=0.01, machine=0.02))


def record(export: Export) -> Record:
    return search_record(1_000, MACHINE, (export,), piped=(0.3, 0.31, 0.5), terminal=(0.39, 0.41, 0.45))


def test_each_goal_is_judged_by_its_median() -> None:
    found = record(EXPORT)
    assert [goal.reached for goal in found.goals] == [True, True, True, False]
    assert "every document to NDJSON, hits/s: 62,500 (62,500-62,500), wanted at least 50,000: reached" in found.report
    assert "the first example to a terminal, CPU s: 0.41 (0.39-0.45), wanted at most 0.4: MISSED" in found.report


def test_a_run_that_missed_documents_is_no_figure() -> None:
    short = record(replace(EXPORT, hits=999)).report
    assert "run 1: it is not complete" in short
    assert "reached" not in short
