from dataclasses import replace
from pathlib import Path

import pytest

from bench.competitors.catalog import Skipped
from bench.competitors.task import Competitor, Differences, Run
from bench.meter.usage import Usage
from bench.report.record import save_record
from bench.scenarios.end_to_end import EndToEnd, Plan, end_to_end_record
from bench.scenarios.kill import Kill
from tests.support.bench_records import MACHINE

RATES = {
    Competitor.READ: 190_000,
    Competitor.WRITE: 72_000,
    Competitor.REINDEX: 47_500,
    Competitor.BULK: 19_000,
    Competitor.TUNED: 22_000,
    Competitor.PARALLEL: 27_000,
    Competitor.OFFSET: 9_400,
    Competitor.LOGSTASH_SQL: 8_600,
}


def written(found: EndToEnd) -> str:
    return end_to_end_record(Plan(1_000, 2, 1_000), MACHINE, found).report


@pytest.fixture
def found() -> EndToEnd:
    runs = tuple(
        Run(one, 1000, Usage(1000 / rate, 0.004, 0.01, 0.03, machine=0.05), 140_000_000, documents=1000)
        for one, rate in RATES.items()
    )
    return EndToEnd((runs, runs))


def test_the_table_has_a_line_for_each_competitor_and_the_bound_after_both_its_parts(found: EndToEnd) -> None:
    table = [line.split("|")[1].strip() for line in written(found).splitlines() if line.startswith("|")]
    read, write, *others = map(str, RATES)
    assert table[2:] == [read, write, "bound `1/(1/read + 1/write)`", *others]


def test_figures_are_rounded_for_people(found: EndToEnd) -> None:
    report = written(found)
    assert "47,500 (47,500-47,500)" in report
    assert "reindex, in times of crate cursor + helpers.bulk: 2.50 (2.50-2.50), wanted at least 2.3: reached" in report
    assert "4.0 + 10.0 + 30.0" in report
    assert "Elasticsearch 9.2.0, one node, 1.0 GiB heap" in report


def test_an_incomplete_way_is_shouted(found: EndToEnd) -> None:
    short = tuple(
        replace(run, documents=999) if run.competitor is Competitor.PARALLEL else run for run in found.rounds[0]
    )
    report = written(replace(found, rounds=(short,)))
    assert [line for line in report.splitlines() if line.endswith(" NO |")] == [
        line for line in report.splitlines() if line.startswith(f"| {Competitor.PARALLEL}")
    ]
    assert f"- round 1, {Competitor.PARALLEL}: it is not complete" in report
    assert "reached" not in report


def test_a_way_that_changed_rows_says_how_many_and_a_skipped_one_why(found: EndToEnd) -> None:
    dlt = replace(
        found.rounds[0][3], competitor=Competitor.DLT, differences=Differences(1_000, missing=2, extra=1, different=7)
    )
    skipped = (Skipped(Competitor.LOGSTASH, "there is no Logstash."),)
    report = written(replace(found, rounds=((*found.rounds[0], dlt), found.rounds[1]), skipped=skipped))
    (line,) = (line for line in report.splitlines() if line.startswith(f"| {Competitor.DLT}"))
    assert line.endswith(" NO: 2 + 1 + 7 |")
    assert "2 rounds, those below parallel_bulk in the first alone" in report
    assert "- Logstash: skipped: there is no Logstash." in report
    assert "reached" in report, "what others lose is no doubt about the benchmark"


def test_noise_is_named_and_no_goal_is_judged_by_it(found: EndToEnd) -> None:
    first, *others = found.rounds[0]
    noisy = replace(first, usage=replace(first.usage, machine=0.1))
    report = written(replace(found, rounds=((noisy, *others),)))
    assert "- round 1, reading alone: other programs took 56% of the CPU time" in report
    assert "reached" not in report


def test_a_stand_in_that_pages_in_no_order_may_lose_rows_and_the_others_are_judged_still(found: EndToEnd) -> None:
    *first, last = found.rounds[0]
    assert last.competitor is Competitor.LOGSTASH_SQL
    report = written(replace(found, rounds=((*first, replace(last, documents=999)),)))
    assert [line for line in report.splitlines() if line.endswith(" NO |")] == [
        line for line in report.splitlines() if line.startswith(f"| {Competitor.LOGSTASH_SQL}")
    ]
    assert "reached" in report


def test_kills_tell_what_was_left_and_what_was_written_again(found: EndToEnd, tmp_path: Path) -> None:
    kill = Kill(Competitor.TUNED, 500, 2.5, 1_000, Differences(1_000, missing=3, extra=0, different=1), 2.4, 1_000)
    record = end_to_end_record(Plan(1_000, 2, 1_000), MACHINE, replace(found, kills=(kill,)))
    row = next(line for line in record.report.splitlines() if "1,000 in 2.5 s" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [
        "500",
        "1,000 in 2.5 s",
        "3 + 0 + 1",
        "1,000 in 2.4 s",
    ]
    file = tmp_path / "end-to-end.json"
    save_record(record, file)
    assert '"missing": 3' in file.read_text()


@pytest.mark.parametrize(("basic", "chart"), [(True, "end-to-end"), (False, "competitors")])
def test_a_run_of_all_competitors_has_a_chart_of_its_own(found: EndToEnd, basic: bool, chart: str) -> None:  # noqa: FBT001
    record = end_to_end_record(Plan(1_000, 2, 0, basic=basic), MACHINE, found)
    assert [one.name for one in record.charts] == [chart]
    assert len(record.charted(record.charts[0])) == len(RATES) + 1
