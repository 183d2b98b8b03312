from dataclasses import replace
from pathlib import Path

import pytest

from bench.report.compare import Move, Verdict, compare, comparison, differences
from bench.report.record import Figure, load_record, load_records, save_record
from indexer.errors import UsageError
from tests.support.bench_records import MACHINE, a_record

SLOW = Figure("a page", "ms", (20.0, 21.0, 22.0))
FAST = Figure("a page", "ms", (10.0, 11.0, 19.9))


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (SLOW, FAST, Verdict.BETTER),
        (FAST, SLOW, Verdict.WORSE),
        (replace(SLOW, more=True), replace(FAST, more=True), Verdict.WORSE),
        (replace(FAST, more=True), replace(SLOW, more=True), Verdict.BETTER),
        (SLOW, replace(FAST, samples=(10.0, 20.5)), Verdict.NOISE),
        (SLOW, SLOW, Verdict.NOISE),
        (SLOW, replace(FAST, samples=(1.0,)), Verdict.UNKNOWN),
    ],
)
def test_a_move_counts_only_where_no_samples_overlap(before: Figure, after: Figure, verdict: Verdict) -> None:
    assert Move(before, after).verdict is verdict


def test_the_change_is_of_the_medians() -> None:
    assert Move(SLOW, FAST).change == pytest.approx(11 / 21 - 1)


def test_only_what_both_measured_is_compared() -> None:
    other = Figure("another page", "ms", (1.0, 2.0))
    moves = compare(a_record(SLOW, other), a_record(FAST))
    assert [(move.before, move.after) for move in moves] == [(SLOW, FAST)]


def test_different_benchmarks_are_refused() -> None:
    with pytest.raises(UsageError, match="paging cannot be compared with one of memory"):
        compare(a_record(), a_record(bench="memory"))


def test_what_else_differs_is_named() -> None:
    newer = replace(MACHINE, cores=4, packages={"crate": "2.4.0"}, commit="def5678")
    found = list(differences(a_record(), replace(a_record(machine=newer), settings={"rows": 2_000})))
    assert found == [
        "rows: 1000 before, 2000 after",
        "commit: abc1234 before, def5678 after",
        "cores: 2 before, 4 after",
        "packages.crate: 2.3.0 before, 2.4.0 after",
    ]
    assert "- cores: 2 before, 4 after" in comparison([Move(SLOW, FAST)], found)


def test_a_comparison_is_a_table_for_people() -> None:
    told = comparison([Move(FAST, SLOW)], [])
    assert "| a page |  11 ms | 21 ms | +90.9% |   WORSE |" in told
    assert "- nothing" in told
    fast = Figure("reindex", "rows/s", (102_500.0, 103_138.4), more=True)
    assert "| 102,819 rows/s | 102,819 rows/s |" in comparison([Move(fast, fast)], [])


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "new" / "one.json"
    for record in (a_record(SLOW), a_record()):
        save_record(record, file)
        assert load_record(file) == record


def test_a_file_that_is_no_record_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}")
    with pytest.raises(UsageError, match="was not written by `python -m bench`"):
        load_record(file)
    with pytest.raises(UsageError, match="cannot be read"):
        load_record(tmp_path / "absent.json")


def test_records_are_told_apart_by_the_names_of_their_files(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("paging.json", "a day/paging.json", "paging of.today.json")]
    for file in files:
        save_record(a_record(SLOW), file)
    assert load_records([files[0], files[2]]) == {"paging": a_record(SLOW), "paging-of-today": a_record(SLOW)}
    with pytest.raises(UsageError, match=r"Two records are called paging, the second is .*a day/paging\.json: rename"):
        load_records(files)
