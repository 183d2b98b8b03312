from concurrent.futures import ThreadPoolExecutor

from indexer.cli.render.progress import status_line
from indexer.model.job.progress import Counters, Progress


def test_an_unknown_eta_is_none() -> None:
    assert Progress().eta_seconds is None
    assert Progress(rows_expected=100, seconds=5).eta_seconds is None


def test_the_eta_extrapolates_the_current_speed() -> None:
    assert Progress(rows_expected=100, rows_indexed=40, dead_letters=10, seconds=4).eta_seconds == 5


def test_a_resumed_job_counts_from_where_it_resumed() -> None:
    counters = Counters()
    counters.begin("loading", rows_expected=1_000_000, before=259_384)
    counters.indexed(702_463, size=1_000, dead=0, retries=0)
    now = counters.snapshot()
    assert now.rows_done == 961_847
    assert status_line(now).startswith("961,847 of 1,000,000 rows")
    assert Progress(rows_expected=1_000, rows_before=500, rows_indexed=250, seconds=1).eta_seconds == 1


def test_a_catch_up_does_more_than_was_counted() -> None:
    assert status_line(Progress(phase="catching up", rows_expected=10, rows_indexed=12)) == "12 rows"


def test_counters_add_up_and_the_next_success_ends_a_wait() -> None:
    counters = Counters()
    counters.begin("loading", rows_expected=10)
    counters.wait("429")
    assert counters.snapshot().waiting == "429"
    counters.read(6, seconds=0.01, nulled=1)
    counters.read(4, seconds=0.03)
    counters.indexed(9, size=900, dead=1, retries=2)
    now = counters.snapshot()
    assert (now.rows_read, now.rows_indexed, now.dead_letters, now.retries) == (10, 9, 1, 2)
    assert (now.pages, now.nulled, now.bytes_indexed, now.waiting) == (2, 1, 900, "")


def test_a_readers_success_does_not_end_a_writers_wait() -> None:
    counters = Counters()
    counters.wait("Elasticsearch is away")
    with ThreadPoolExecutor(1) as reader:
        reader.submit(counters.read, 6, 0.01).result()
    assert counters.snapshot().waiting == "Elasticsearch is away"
    counters.indexed(6, size=600, dead=0, retries=1)
    assert counters.snapshot().waiting == ""


def test_a_reduced_rate_is_shown_until_it_recovers() -> None:
    counters = Counters()
    counters.slow("1 request of 256 KiB: 429 es_rejected_execution_exception")
    counters.indexed(6, size=600, dead=0, retries=1)
    assert "slowed to 1 request of 256 KiB: 429 es_rejected" in status_line(counters.snapshot())
    counters.slow("")
    assert "slowed" not in status_line(counters.snapshot())


def test_page_times_are_reported_as_p50_and_p95() -> None:
    counters = Counters()
    assert counters.page_milliseconds() == (0, 0)
    for milliseconds in range(1, 101):
        counters.read(1, seconds=milliseconds / 1000)
    p50, p95 = counters.page_milliseconds()
    assert 50 <= p50 <= 51
    assert 95 <= p95 <= 96


def test_the_status_line_shows_retries_dead_letters_and_waits() -> None:
    now = Progress(
        phase="loading",
        rows_expected=2_000,
        rows_indexed=1_000,
        dead_letters=3,
        retries=7,
        bytes_indexed=5_000_000,
        seconds=2,
        waiting="Elasticsearch answered 429",
    )
    line = status_line(now)
    for part in ("1,003 of 2,000 rows", "500 rows/s", "2.5 MB/s", "0:01 left", "7 retries", "3 dead letters", "429"):
        assert part in line
