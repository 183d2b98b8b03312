"""Writing through a network that fails: nothing is lost, doubled, or taken for done."""

import re
import threading
import time
from collections.abc import Iterator

import orjson
import pytest

from indexer.errors import Interrupted, TargetError, TargetUnavailable
from indexer.settings import TargetAccess
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from tests.support.bulk_faults import without_last_item
from tests.support.bulk_lines import ids, line, lines, new_index
from tests.support.fault_proxy import (
    Fault,
    FaultProxy,
    altered,
    cut_after,
    cut_before,
    half,
    larger_than,
    refuse,
)

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[FaultProxy]:
    with FaultProxy(elasticsearch_url, on="/_bulk") as running:
        yield running


@pytest.fixture
def cluster(proxy: FaultProxy) -> Iterator[Cluster]:
    with connect(TargetAccess(url=proxy.url)) as connected:
        yield connected


@pytest.fixture
def index(cluster: Cluster, alias: str) -> str:
    return new_index(cluster, alias)


def with_busy_items(*places: int) -> Fault:
    """The server did the work, and says that some documents found it too busy."""

    def change(body: bytes) -> bytes:
        answer = orjson.loads(body)
        busy = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
        for place in places:
            answer["items"][place] = {"index": busy}
        return orjson.dumps({**answer, "errors": True})

    return altered(change)


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
        half,
        altered(lambda body: body[:-1]),
        altered(lambda _: b"[]"),
        altered(lambda _: b"{}"),
        altered(lambda body: re.sub(b"20[01]", b"299", body)),
        altered(without_last_item),
    ],
    ids=[
        "429", "502 html", "503 empty", "504", "node closed", "cut before", "cut after", "half", "broken json", "list",
        "empty", "unknown status", "missing item",
    ],
)  # fmt: skip
def test_a_fault_that_passes_costs_a_retry_and_nothing_else(
    cluster: Cluster, proxy: FaultProxy, index: str, fault: Fault
) -> None:
    waits: list[tuple[str, float]] = []
    proxy.script(fault, fault)
    written = BulkWriter(cluster, index, on_wait=lambda *wait: waits.append(wait)).write(lines(100))
    assert (written.done, written.dead, written.retries) == (100, (), 2)
    assert len(waits) == 2
    assert all(reason and 0 < seconds < 2 for reason, seconds in waits)
    assert len(proxy.seen) == 3
    assert len({request.body for request in proxy.seen}) == 1
    Indexes(cluster).finish(index, {})
    assert Indexes(cluster).count(index) == 100


def test_only_the_documents_concerned_are_sent_again(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.script(with_busy_items(1, 3), with_busy_items(0))
    batch = lines(5)
    written = BulkWriter(cluster, index).write(batch)
    assert (written.done, written.dead, written.retries) == (5, (), 2)
    assert [request.body for request in proxy.seen] == [b"".join(batch), batch[1] + batch[3], batch[1]]


def test_done_busy_and_rejected_items_of_one_answer_are_told_apart(
    cluster: Cluster, proxy: FaultProxy, index: str
) -> None:
    proxy.script(with_busy_items(0))
    written = BulkWriter(cluster, index).write([line("0", n=0), line("1", n="bad"), line("2", n=2)])
    assert (written.done, [letter.id for letter in written.dead], written.retries) == (2, ["1"], 1)


def test_patience_ends_with_what_the_server_said(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.otherwise = refuse(429, b'{"error":{"type":"circuit_breaking_exception","reason":"Data too large"}}')
    with pytest.raises(TargetUnavailable, match="429: circuit_breaking_exception: Data too large") as raised:
        BulkWriter(cluster, index, patience=0.5).write(lines(3))
    assert raised.value.retryable
    assert len(proxy.seen) > 1


def test_patience_begins_anew_with_every_document_that_passes(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.script(*[with_busy_items(*range(left)) for left in range(5, 0, -1)])
    started = time.monotonic()
    written = BulkWriter(cluster, index, patience=0.3).write(lines(6))
    assert (written.done, written.retries) == (6, 5)
    assert time.monotonic() - started > 0.3


def test_an_answer_that_never_makes_sense_is_never_success(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.otherwise = altered(without_last_item)
    with pytest.raises(TargetUnavailable, match="9 items for 10 documents"):
        BulkWriter(cluster, index, patience=0.3).write(lines(10))


def test_a_body_that_is_too_large_goes_in_halves(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.otherwise = larger_than(2_000)
    batch = lines(200)
    written = BulkWriter(cluster, index).write(batch)
    assert (written.done, written.dead, written.retries) == (200, (), 0)
    taken = [request.body for request in proxy.seen if len(request.body) <= 2_000]
    assert b"".join(taken) == b"".join(batch), "in order, each once"


def test_a_document_that_alone_is_too_large_is_a_dead_letter(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    proxy.otherwise = larger_than(2_000)
    huge = line("huge", text="x" * 3_000)
    written = BulkWriter(cluster, index).write([*lines(10), huge, line("last")])
    assert written.done == 11
    (letter,) = written.dead
    assert (letter.id, letter.status, letter.document) == ("huge", 413, {"text": "x" * 3_000})
    assert "Too Large" in letter.reason


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500])
def test_what_will_not_pass_ends_the_job_at_once(cluster: Cluster, proxy: FaultProxy, index: str, status: int) -> None:
    proxy.script(refuse(status, b'{"error":{"type":"some_exception","reason":"no"}}'))
    with pytest.raises(TargetError, match=f"{status}: some_exception: no") as raised:
        BulkWriter(cluster, index).write(lines(3))
    assert not raised.value.retryable
    assert raised.value.status == status
    assert len(proxy.seen) == 1


def test_stopping_ends_a_wait_at_once(cluster: Cluster, proxy: FaultProxy, index: str) -> None:
    """The wait is long by then; the writer is stopped by whoever is told of it."""
    stop = threading.Event()
    waits: list[float] = []

    def on_wait(_reason: str, seconds: float) -> None:
        waits.append(seconds)
        if seconds > 1.5:
            stop.set()

    proxy.otherwise = refuse(503)
    started = time.monotonic()
    with pytest.raises(Interrupted):
        BulkWriter(cluster, index, stop=stop, on_wait=on_wait).write(lines(1))
    assert time.monotonic() - started < sum(waits), "the last wait was not waited out"
    assert ids(cluster, index, ["0"]) == []
