from concurrent.futures import ThreadPoolExecutor

from indexer.cli.progress import status_line
from indexer.model.job.progress import Counters, Progress


def test_an_unknown_eta_is_none() -> None:
    assert Progress().eta_seconds is None
    assert Progress(rows_expected=100, seconds=5).eta_seconds is None


def test_the_eta_is_what_is_left_at_this_speed() -> None:
    assert Progress(rows_expected=100, rows_indexed=40, dead_letters=10, seconds=4).eta_seconds == 5


def test_counters_add_up_and_a_wait_ends_with_the_next_answer() -> None:
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


def test_a_writer_s_wait_is_not_ended_by_a_reader() -> None:
    counters = Counters()
    counters.wait("Elasticsearch is away")
    with ThreadPoolExecutor(1) as reader:
        reader.submit(counters.read, 6, 0.01).result()
    assert counters.snapshot().waiting == "Elasticsearch is away"
    counters.indexed(6, size=600, dead=0, retries=1)
    assert counters.snapshot().waiting == ""


def test_a_lowered_pace_is_shown_until_it_is_full_again() -> None:
    counters = Counters()
    counters.slow("1 request of 256 KiB: 429 es_rejected_execution_exception")
    counters.indexed(6, size=600, dead=0, retries=1)
    assert "slowed to 1 request of 256 KiB: 429 es_rejected" in status_line(counters.snapshot())
    counters.slow("")
    assert "slowed" not in status_line(counters.snapshot())


def test_page_times_are_a_median_and_a_95th_percentile() -> None:
    counters = Counters()
    assert counters.page_milliseconds() == (0, 0)
    for milliseconds in range(1, 101):
        counters.read(1, seconds=milliseconds / 1000)
    p50, p95 = counters.page_milliseconds()
    assert 50 <= p50 <= 51
    assert 95 <= p95 <= 96


def test_the_line_says_whatever_is_not_as_it_should_be() -> None:
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
    for part in ("1,000 of 2,000 rows", "500 rows/s", "2.5 MB/s", "0:01 left", "7 retries", "3 dead letters", "429"):
        assert part in line
