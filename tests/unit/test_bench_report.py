from dataclasses import replace

import pytest

from bench.end_to_end import EndToEnd
from bench.machine import Machine, ServerFacts
from bench.programs import Skipped
from bench.report import end_to_end_report, verifying_report
from bench.run import Compared, Run, Spent, Way
from bench.verifying import Verified, Verifying

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
    Way.OFFSET_BULK: 9_400,
    Way.OFFSET_PARALLEL: 12_000,
    Way.STAND_IN: 8_600,
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
    read, write, *others = map(str, RATES)
    assert table[2:] == [read, write, "bound `1/(1/read + 1/write)`", *others]


def test_figures_are_rounded_for_people(found: EndToEnd) -> None:
    report = end_to_end_report(found)
    assert "47,500 (47,500-47,500)" in report
    assert "reindex, in times of crate cursor + helpers.bulk: 2.50 (2.50-2.50), wanted at least 2.3: reached" in report
    assert "4.0 + 10.0 + 30.0" in report
    assert "Elasticsearch 9.2.0, one node, 1.0 GiB heap" in report


def test_an_incomplete_way_is_shouted(found: EndToEnd) -> None:
    short = tuple(replace(run, documents=999) if run.way is Way.PARALLEL else run for run in found.rounds[0])
    report = end_to_end_report(replace(found, rounds=(short,)))
    assert [line for line in report.splitlines() if line.endswith(" NO |")] == [
        line for line in report.splitlines() if line.startswith(f"| {Way.PARALLEL}")
    ]
    assert f"- round 1, {Way.PARALLEL}: it is not complete" in report
    assert "reached" not in report


def test_a_way_that_changed_rows_says_how_many_and_a_skipped_one_why(found: EndToEnd) -> None:
    singer = replace(found.rounds[0][3], way=Way.SINGER, compared=Compared(1_000, missing=2, extra=1, different=7))
    skipped = (Skipped(Way.LOGSTASH, "there is no Logstash."),)
    report = end_to_end_report(replace(found, rounds=((*found.rounds[0], singer), found.rounds[1]), skipped=skipped))
    (line,) = (line for line in report.splitlines() if line.startswith(f"| {Way.SINGER}"))
    assert line.endswith(" NO: 2 + 1 + 7 |")
    assert "2 rounds, those below parallel_bulk in the first alone" in report
    assert "- Logstash: skipped: there is no Logstash." in report
    assert "reached" in report, "what others lose is no doubt about the benchmark"


def test_noise_is_named_and_no_goal_is_judged_by_it(found: EndToEnd) -> None:
    first, *others = found.rounds[0]
    noisy = replace(first, spent=replace(first.spent, machine=0.1))
    report = end_to_end_report(replace(found, rounds=((noisy, *others),)))
    assert "- round 1, reading alone: others took 56% of the CPU time" in report
    assert "reached" not in report


def test_a_stand_in_that_pages_in_no_order_may_lose_rows_and_the_others_are_judged_still(found: EndToEnd) -> None:
    *first, last = found.rounds[0]
    assert last.way is Way.STAND_IN
    report = end_to_end_report(replace(found, rounds=((*first, replace(last, documents=999)),)))
    assert [line for line in report.splitlines() if line.endswith(" NO |")] == [
        line for line in report.splitlines() if line.startswith(f"| {Way.STAND_IN}")
    ]
    assert "reached" in report


def test_verifications_are_judged_by_their_rows_a_second_and_their_memory() -> None:
    spent = Spent(11, 0.01, 0.007, None, machine=0.03)
    slow = Verified(1_000, same=True, seconds=1_000 / 50_000, spent=spent, peak_rss=210_000_000)
    quick = Verified(1_000, same=True, seconds=1_000 / 61_000, spent=spent, peak_rss=150_000_000)
    report = verifying_report(Verifying(MACHINE, 1_000, (slow, quick, quick)))
    assert "verify --full, rows/s: 61,000 (50,000-61,000), wanted at least 60,000: reached" in report
    assert "verify --full, peak memory in MB: 150.00 (150.00-210.00), wanted at most 200: reached" in report
    assert "10.0 + 7.0 + ?" in report
    assert [figure.samples for figure in Verifying(MACHINE, 1_000, (slow,)).figures] == [
        (pytest.approx(50_000),),
        (210.0,),
    ]


def test_a_verification_that_found_faults_or_left_rows_out_is_not_judged() -> None:
    good = Verified(1_000, same=True, seconds=0.01, spent=Spent(11, 0.01, 0.007, 0.02, machine=0.04), peak_rss=1)
    assert "reached" in verifying_report(Verifying(MACHINE, 1_000, (good,)))
    for one in (replace(good, same=False), replace(good, rows=999)):
        report = verifying_report(Verifying(MACHINE, 1_000, (one,)))
        assert "- round 1: it did not compare every row, or found faults" in report
        assert "reached" not in report
