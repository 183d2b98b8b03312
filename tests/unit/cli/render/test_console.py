"""What people read: it fits a terminal of 80 columns, and no name is broken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.text import Text

from indexer.cli.jobs import print_job, print_jobs
from indexer.cli.reindex import report_text
from indexer.cli.render.console import ago, counted, flat_settings
from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.report import Report
from indexer.model.job.state import JobState, JobStatus, LockHolder
from indexer.model.paging.window import Range

NOW = datetime(2026, 11, 22, 10, 20, tzinfo=UTC)

REPORT = Report(
    job="logs_20261122_101500", table="doc.logs", index="logs_20261122_101500", alias="logs", switched=True,
    resumed=False, rows_read=1_000, rows_indexed=1_000, rows_caught_up=0, dead_letters=0, nulled=0, seconds=1.5,
    rows_per_second=666.7, pages=1, page_ms_p50=20.0, page_ms_p95=30.0, checkpoint_cpu_seconds=0.01,
    peak_rss_bytes=100 * 2**20, strategy="window", key="id", dead_letter_file=None, deleted=(), caveat="",
)  # fmt: skip


def state(job: str, status: JobStatus, read: int) -> JobState:
    holder = LockHolder("db1.example.org", 4711, "2026-11-22T10:15:00+00:00", "token")
    beat = (datetime.now(UTC) - timedelta(minutes=2)).isoformat(timespec="milliseconds")
    window = Range(0, 10)
    slices = (SliceProgress(0, (window,), rows=1_000_000, span=window, read=read),)
    return JobState(job, "logs", "doc.logs", status, holder, 1, beat, {"table": "doc.logs", "--where": ""}, slices)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    columns = int(request.param)
    for name in ("NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    return columns


def states() -> tuple[JobState, ...]:
    return (
        state("logs_20261122_101500", JobStatus.RUNNING, 702_463),
        state("recent_problems_of_payments_20261121_090000", JobStatus.INTERRUPTED, 1_000_000),
    )


@pytest.mark.parametrize("terminal", [60, 80, 100], indirect=True)
def test_jobs_fit_the_terminal_with_whole_names(terminal: int, capsys: pytest.CaptureFixture[str]) -> None:
    print_jobs(known := states())
    shown = Text.from_ansi(capsys.readouterr().out).plain
    assert max(map(len, shown.splitlines())) <= terminal
    assert all(one.job in shown and one.status in shown for one in known)
    assert all(part in shown for part in ("702,463 of 1,000,000", "2 min ago"))


@pytest.mark.parametrize("terminal", [160], indirect=True)
@pytest.mark.usefixtures("terminal")
def test_a_wide_terminal_shows_tables_and_full_times(capsys: pytest.CaptureFixture[str]) -> None:
    print_jobs(known := states())
    shown = Text.from_ansi(capsys.readouterr().out).plain
    assert shown.count("doc.logs") == 2
    assert all(one.heartbeat in shown for one in known)
    assert "702,463 of 1,000,000" in shown


@pytest.mark.parametrize("terminal", [80], indirect=True)
@pytest.mark.usefixtures("terminal")
def test_a_job_fits_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_job(states()[0])
    shown = Text.from_ansi(capsys.readouterr().out).plain
    assert max(map(len, shown.splitlines())) <= 80
    assert "2 min ago" in shown


def test_an_error_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    error = "[parent] Data too large, data for [red] would be :100:\x1b[31m [1.2gb/1.2gb]"
    print_job(replace(states()[0], error=error))
    assert error.replace("\x1b", "\\x1b") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(), "0 s ago"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(seconds=150), "2 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=40), "40 days ago"),
        (timedelta(seconds=-5), "0 s ago"),
    ],
)
def test_times_are_relative(age: timedelta, text: str) -> None:
    assert ago((NOW - age).isoformat(), NOW) == text


def test_a_noun_agrees_with_its_number() -> None:
    assert (counted(1, "slice"), counted(0, "slice"), counted(2_000, "row")) == ("1 slice", "0 slices", "2,000 rows")


def test_settings_are_shown_by_their_full_names() -> None:
    settings = flat_settings({"number_of_shards": 2, "analysis": {"analyzer": {"korean": {"type": "nori"}}}})
    assert dict(settings) == {"number_of_shards": "2", "analysis.analyzer.korean.type": "nori"}


def test_a_report_fits_80_columns() -> None:
    text = report_text(REPORT)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("1,000 of 1,000 rows of doc.logs are in logs_20261122_101500.\n")
    assert "Re-read" not in text


@pytest.mark.parametrize(
    ("indexed", "catch_up", "sentence"),
    [
        (1_000, None, "Re-read 1 row, because the table changed during the load."),
        (1_001, "ts", "Re-read 1 row, because the table changed during the load."),
        (1_000, "ts", "Re-read 1 row at the highest ts."),
    ],
)
def test_a_report_says_that_the_table_changed_only_where_it_did(
    indexed: int, catch_up: str | None, sentence: str
) -> None:
    report = replace(REPORT, rows_indexed=indexed, rows_caught_up=1)
    assert sentence in report_text(report, catch_up=catch_up).splitlines()
