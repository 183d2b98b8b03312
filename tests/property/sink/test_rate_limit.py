"""The rate limit halves on 429, grows in steps, and settles near what the server accepts."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.sink.rate_limit import FULL, RateLimit

limits = st.builds(
    RateLimit,
    max_requests=st.integers(1, 64),
    max_bytes=st.integers(1024, 2**27),
    level=st.integers(1, FULL),
    cuts=st.integers(0, 100),
)


@given(limits)
def test_a_rejection_halves_the_limit_and_never_reaches_zero(limit: RateLimit) -> None:
    lowered = limit.lowered(limit)
    assert lowered.level == max(1, limit.level // 2)
    assert 1 <= lowered.requests <= limit.requests <= limit.max_requests
    assert 1 <= lowered.bytes <= limit.bytes <= limit.max_bytes
    if limit.level > 1:
        assert lowered.bytes < limit.bytes


@given(limits, st.integers(1, 64))
def test_concurrent_rejections_halve_the_limit_once(limit: RateLimit, in_flight: int) -> None:
    current = limit
    for _ in range(in_flight):
        current = current.lowered(limit)
    assert current == limit.lowered(limit)
    assert current.lowered(current).cuts == current.cuts + 1


@given(limits)
def test_the_limit_grows_back_to_full_in_steps(limit: RateLimit) -> None:
    for _ in range(FULL):
        raised = limit.raised()
        assert raised.full or raised.level == limit.level + 1
        limit = raised
    assert (limit.requests, limit.bytes, limit.full) == (limit.max_requests, limit.max_bytes, True)


@given(st.integers(1, FULL - 1))
def test_the_limit_settles_between_half_of_the_servers_limit_and_a_step_above(accepted: int) -> None:
    limit = RateLimit(8, 2**21)
    levels = []
    for _ in range(20 * FULL):
        levels.append(limit.level)
        limit = limit.raised() if limit.level <= accepted else limit.lowered(limit)
    settled = levels[4 * FULL :]
    assert max(settled) == accepted + 1
    assert min(settled) == max(1, (accepted + 1) // 2)
    rejected = sum(level > accepted for level in settled)
    assert rejected <= len(settled) * 2 / (accepted + 2) + 1, "one rejection in as many requests as it takes to recover"


def test_the_limit_is_printed_as_requests_and_size() -> None:
    limit = RateLimit(2, 2**21)
    assert str(limit) == "2 requests of 2,048 KiB"
    lowest = limit
    for _ in range(10):
        lowest = lowest.lowered(lowest)
    assert str(lowest) == "1 request of 32 KiB"
    assert str(RateLimit(1, 1024, level=1)) == "1 request of 1 KiB"
