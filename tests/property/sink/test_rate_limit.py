"""The pace: it falls by halves, rises by steps, and settles near what the server takes."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.sink.rate_limit import FULL, RateLimit

paces = st.builds(
    RateLimit,
    most_requests=st.integers(1, 64),
    most_bytes=st.integers(1024, 2**27),
    level=st.integers(1, FULL),
    cuts=st.integers(0, 100),
)


@given(paces)
def test_a_refusal_halves_and_never_stops_the_job(pace: RateLimit) -> None:
    slower = pace.refused(pace)
    assert slower.level == max(1, pace.level // 2)
    assert 1 <= slower.requests <= pace.requests <= pace.most_requests
    assert 1 <= slower.bytes <= pace.bytes <= pace.most_bytes
    if pace.level > 1:
        assert slower.bytes < pace.bytes


@given(paces, st.integers(1, 64))
def test_requests_that_were_in_flight_together_halve_it_once(pace: RateLimit, together: int) -> None:
    now = pace
    for _ in range(together):
        now = now.refused(pace)
    assert now == pace.refused(pace)
    assert now.refused(now).cuts == now.cuts + 1


@given(paces)
def test_it_grows_by_steps_back_to_what_was_asked_for(pace: RateLimit) -> None:
    for _ in range(FULL):
        faster = pace.taken()
        assert faster.full or faster.level == pace.level + 1
        pace = faster
    assert (pace.requests, pace.bytes, pace.full) == (pace.most_requests, pace.most_bytes, True)


@given(st.integers(1, FULL - 1))
def test_it_settles_between_half_of_what_the_server_takes_and_a_step_above(most: int) -> None:
    pace = RateLimit(8, 2**21)
    levels = []
    for _ in range(20 * FULL):
        levels.append(pace.level)
        pace = pace.taken() if pace.level <= most else pace.refused(pace)
    settled = levels[4 * FULL :]
    assert max(settled) == most + 1
    assert min(settled) == max(1, (most + 1) // 2)
    refused = sum(level > most for level in settled)
    assert refused <= len(settled) * 2 / (most + 2) + 1, "one in as many requests as it takes to grow back"


def test_it_says_what_it_is() -> None:
    pace = RateLimit(2, 2**21)
    assert str(pace) == "2 requests of 2,048 KiB"
    slowest = pace
    for _ in range(10):
        slowest = slowest.refused(slowest)
    assert str(slowest) == "1 request of 32 KiB"
    assert str(RateLimit(1, 1024, level=1)) == "1 request of 1 KiB"
