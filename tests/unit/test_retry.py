"""One mechanism retries every request: it ends in time, says why it waits, and wakes up when the job stops."""

import time
from threading import Event

import pytest

from indexer.errors import (
    BreakerTripped,
    IndexerError,
    Interrupted,
    ResponseTooLarge,
    ShardsUnavailable,
    SourceError,
    SourceUnavailable,
    TargetBusy,
    TargetUnavailable,
)
from indexer.retry import Retrier, RetryPolicy

QUICK = RetryPolicy(seconds=5.0, first_pause=0.001, longest_pause=0.002)


def failing(times: int, error: IndexerError) -> "list[IndexerError | None]":
    return [error] * times + [None]


class Operation:
    """Raises the given errors in turn, then succeeds."""

    def __init__(self, *outcomes: IndexerError | None) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return self.calls


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (TargetUnavailable("x; y.", reason="Connection refused"), "Elasticsearch is unavailable (Connection refused)"),
        (TargetBusy("x.", 429, "429: full"), "Elasticsearch is busy (429: full)"),
        (SourceUnavailable("No answer."), "the source is unavailable (No answer)"),
        (BreakerTripped("x.", 5000, "Data too large"), "the source is short of memory (Data too large)"),
    ],
)
def test_a_failure_is_retried_and_the_wait_says_why(error: IndexerError, wait: str) -> None:
    waits: list[str] = []
    successes: list[None] = []
    retrier = Retrier(QUICK, on_wait=lambda reason, _: waits.append(reason), on_success=lambda: successes.append(None))
    assert retrier.call(Operation(*failing(2, error))) == 3
    assert waits == [f"{wait}; retrying for up to 5 s"] * 2
    assert len(successes) == 1


@pytest.mark.parametrize("error", [SourceError("no"), ShardsUnavailable("shard 1"), ResponseTooLarge("wide")])
def test_what_a_second_call_cannot_change_is_raised_at_once(error: IndexerError) -> None:
    operation = Operation(error)
    with pytest.raises(type(error)):
        Retrier(QUICK).call(operation)
    assert operation.calls == 1


def test_the_error_is_raised_when_the_time_is_up() -> None:
    error = TargetUnavailable("gone")
    began = time.monotonic()
    with pytest.raises(TargetUnavailable) as raised:
        Retrier(RetryPolicy(seconds=0.1, first_pause=0.01, longest_pause=0.01)).call(Operation(*failing(1_000, error)))
    assert raised.value is error
    assert time.monotonic() - began >= 0.1


def test_success_starts_the_time_again() -> None:
    attempts = Retrier(RetryPolicy(seconds=0.05, first_pause=0.03, longest_pause=0.03, jitter=0)).attempts()
    error = TargetUnavailable("gone")
    for _ in range(4):
        attempts.wait(error)
        attempts.reset()
    attempts.wait(error)
    attempts.wait(error)
    with pytest.raises(TargetUnavailable):
        attempts.wait(error)


def test_a_stopped_job_does_not_wait_out_a_pause() -> None:
    stop = Event()
    retrier = Retrier(RetryPolicy(first_pause=60, longest_pause=60), stop, on_wait=lambda *_: stop.set())
    with pytest.raises(Interrupted):
        retrier.call(Operation(TargetUnavailable("gone")))
    with pytest.raises(Interrupted):
        retrier.check()


def test_a_response_that_is_too_large_is_retried_with_fewer_rows_as_long_as_that_is_possible() -> None:
    waits: list[tuple[str, float]] = []
    attempts = Retrier(QUICK, on_wait=lambda *wait: waits.append(wait)).attempts()
    attempts.shrink_or_wait(BreakerTripped("x"), lambda: True)
    attempts.shrink_or_wait(ResponseTooLarge("x"), lambda: True)
    attempts.shrink_or_wait(BreakerTripped("x", reason="full"), lambda: False)
    assert [(reason.partition(";")[0], seconds > 0) for reason, seconds in waits] == [
        ("the source's circuit breaker tripped", False),
        ("rows exceed --memory", False),
        ("the source is short of memory (full)", True),
    ]


def test_pauses_double_up_to_the_longest_however_long_an_outage_lasts() -> None:
    policy = RetryPolicy(jitter=0)
    assert [policy.pause(tries) for tries in (0, 1, 2, 10, 100_000)] == [0.2, 0.4, 0.8, 15.0, 15.0]
    assert [policy.every(1.0).pause(tries) for tries in (0, 5)] == [1.0, 1.0]
    assert all(0.1 <= RetryPolicy().pause(0) <= 0.2 for _ in range(100))
