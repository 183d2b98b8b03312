"""Bulk writes over a faulty network: nothing is lost, duplicated or falsely acknowledged."""

import re
import threading
import time
from collections.abc import Iterator

import orjson
import pytest

from indexer.access import TargetAccess
from indexer.errors import Interrupted, TargetError, TargetUnavailable
from indexer.retry import RetryPolicy
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from indexer.sink.rate_limit import RateLimiter
from tests.support.bulk_faults import without_last_item
from tests.support.bulk_lines import line, lines, new_index, stored_ids
from tests.support.fault_proxy import (
    Fault,
    FaultProxy,
    alter,
    cut_after,
    cut_before,
    cut_midway,
    larger_than,
    refuse,
)

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[FaultProxy]:
    with FaultProxy(elasticsearch_url, pattern="/_bulk") as running:
        yield running


@pytest.fixture
def cluster(proxy: FaultProxy) -> Iterator[Cluster]:
    with connect(TargetAccess(url=proxy.url)) as connected:
        yield connected


@pytest.fixture
def index(cluster: Cluster, alias: str) -> str:
    return new_index(cluster, alias)


def with_busy_items(*places: int) -> Fault:
    """Index everything, but report 429 for the documents at these places."""

    def change(body: bytes) -> bytes:
        answer = orjson.loads(body)
        busy = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
        for place in places:
            answer["items"][place] = {"index": busy}
        return orjson.dumps({**answer, "errors": True})

    return alter(change)


@pytest.mark.parametrize(
    "fault",
    [
        refuse(429),
        refuse(502, b"<html>bad gateway</html>", "text/html"),
        refuse(503, b"", "text/plain"),
        refuse(504),
        refuse(500, b'{"error":{"type":"node_closed_exception","reason":"node closed"},"status":500}'),
        cut_before,
        cut_after,
        cut_midway,
        alter(lambda body: body[:-1]),
        alter(lambda _: b"[]"),
        alter(lambda _: b"{}"),
        alter(lambda body: re.sub(b"20[01]", b"299", body)),
        alter(without_last_item),
    ],
    ids=[
        "429", "502 html", "503 empty", "504", "node closed", "cut before", "cut after", "half", "broken json", "list",
        "empty", "unknown status", "missing item",
    ],
)  # fmt: skip
def test_a_transient_fault_costs_only_a_retry(cluster: Cluster, proxy: FaultProxy, index: str, fault: Fault) -> None:
    waits: list[tuple[str, float]] = []
    proxy.script(fault, fault)
    written = BulkWriter(cluster, index, on_wait=lambda *wait: waits.append(wait)).write(lines(100))
    assert (written.acknowledged, written.dead_letters, written.retries) == (100, (), 2)
    assert len(waits) == 2
    assert all(reason and 0 < seconds < 2 for reason, seconds in waits)
    assert len(proxy.requests) == 3
    assert len({request.body for request in proxy.requests}) == 1
    Indexes(cluster).finish(index, {})
    assert Indexes(cluster).count(index) == 100


def test_only_documents_refused_with_429_are_retried(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.script(with_busy_items(1, 3), with_busy_items(0))
    batch = lines(5)
    written = BulkWriter(cluster, index).write(batch)
    assert (written.acknowledged, written.dead_letters, written.retries) == (5, (), 2)
    assert [request.body for request in proxy.requests] == [b"".join(batch), batch[1] + batch[3], batch[1]]


def test_one_response_may_mix_indexed_busy_and_rejected_items(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.script(with_busy_items(0))
    written = BulkWriter(cluster, index).write([line("0", n=0), line("1", n="bad"), line("2", n=2)])
    assert (written.acknowledged, [letter.id for letter in written.dead_letters], written.retries) == (2, ["1"], 1)


def test_the_error_after_patience_ends_quotes_the_server(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.default = refuse(429, b'{"error":{"type":"circuit_breaking_exception","reason":"Data too large"}}')
    with pytest.raises(TargetUnavailable, match="429: circuit_breaking_exception: Data too large") as raised:
        BulkWriter(cluster, index, retry=RetryPolicy(0.5)).write(lines(3))
    assert raised.value.retryable
    assert len(proxy.requests) > 1


def test_progress_resets_patience(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.script(*[with_busy_items(*range(left)) for left in range(5, 0, -1)])
    started = time.monotonic()
    written = BulkWriter(cluster, index, retry=RetryPolicy(0.3)).write(lines(6))
    assert (written.acknowledged, written.retries) == (6, 5)
    assert time.monotonic() - started > 0.3


def test_persistently_malformed_responses_fail_the_write(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.default = alter(without_last_item)
    with pytest.raises(TargetUnavailable, match="9 items for 10 documents"):
        BulkWriter(cluster, index, retry=RetryPolicy(0.3)).write(lines(10))


def test_a_body_refused_with_413_is_split_in_order(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.default = larger_than(2_000)
    batch = lines(200)
    written = BulkWriter(cluster, index).write(batch)
    assert (written.acknowledged, written.dead_letters, written.retries) == (200, (), 0)
    taken = [request.body for request in proxy.requests if len(request.body) <= 2_000]
    assert b"".join(taken) == b"".join(batch), "in order, each once"


def test_a_single_document_that_is_too_large_becomes_a_dead_letter(
    cluster: Cluster, proxy: FaultProxy, index: str
) -> None:
    proxy.default = larger_than(2_000)
    huge = line("huge", text="x" * 3_000)
    written = BulkWriter(cluster, index).write([*lines(10), huge, line("last")])
    assert written.acknowledged == 11
    (letter,) = written.dead_letters
    assert (letter.id, letter.status, letter.document) == ("huge", 413, {"text": "x" * 3_000})
    assert "Too Large" in letter.reason


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500])
def test_a_permanent_error_ends_the_job_at_once(cluster: Cluster, proxy: FaultProxy, index: str, status: int) -> None:
    proxy.script(refuse(status, b'{"error":{"type":"some_exception","reason":"no"}}'))
    with pytest.raises(TargetError, match=f"{status}: some_exception: no") as raised:
        BulkWriter(cluster, index).write(lines(3))
    assert not raised.value.retryable
    assert raised.value.status == status
    assert len(proxy.requests) == 1


def test_stopping_ends_a_wait_at_once(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    """The `on_wait` callback stops the writer once a wait is long."""
    stop = threading.Event()
    waits: list[float] = []

    def on_wait(_reason: str, seconds: float) -> None:
        waits.append(seconds)
        if seconds > 1.5:
            stop.set()

    proxy.default = refuse(503)
    started = time.monotonic()
    with pytest.raises(Interrupted):
        BulkWriter(cluster, index, limiter=RateLimiter(stop=stop), on_wait=on_wait).write(lines(1))
    assert time.monotonic() - started < sum(waits), "the last wait was not waited out"
    assert stored_ids(cluster, index, ["0"]) == []
