"""Bulk writes to a real server: what is indexed, what becomes a dead letter, and what ends the job."""

import threading
from collections.abc import Iterator

import pytest

from indexer.access import TargetAccess
from indexer.errors import Interrupted, TargetError, TargetUnavailable
from indexer.model.document.bulk_response import WriteResult
from indexer.retry import RetryPolicy
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from indexer.sink.index_name import loading_alias
from indexer.sink.rate_limit import RateLimiter
from tests.support.bulk_lines import line, lines, new_index, stored_ids

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as connected:
        yield connected


@pytest.fixture
def index(cluster: Cluster, alias: str) -> str:
    return new_index(cluster, alias)


def block(cluster: Cluster, index: str, name: str, *, on: bool | None) -> None:
    cluster.client.indices.put_settings(index=index, settings={f"index.blocks.{name}": on})


def test_an_empty_batch_sends_no_request(cluster: Cluster) -> None:
    assert BulkWriter(cluster, "no_such_index").write([]) == WriteResult(0, (), 0)


def test_writing_twice_creates_no_duplicates(cluster: Cluster, index: str) -> None:
    writer = BulkWriter(cluster, index)
    assert writer.write(lines(500)).acknowledged == 500
    assert writer.write(lines(500)).acknowledged == 500
    Indexes(cluster).finish(index, {})
    assert Indexes(cluster).count(index) == 500


@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        (line("bad", n="abc"), 400, "failed to parse field [n] of type [integer]"),
        (line("bad", n={"a": 1}), 400, "failed to parse field [n]"),
        (line("bad", n=2**40), 400, "out of range"),
        (line("bad", ip="10.0.0.999"), 400, "is not an IP string literal"),
        (line("bad", at="yesterday"), 400, "yesterday"),
        (line("bad", text={"a": 1}), 400, "failed to parse field [text]"),
        (line("bad", word="w" * 40_000), 400, "immense term"),
        (b'{"index":{"_id":"bad"}}\n{"n":1,\n', 400, "Unexpected end-of-input"),
    ],
    ids=["text in integer", "object in integer", "overflow", "ip", "date", "object in text", "immense", "broken json"],
)
def test_a_rejected_document_becomes_a_dead_letter_and_the_others_are_indexed(
    cluster: Cluster, index: str, bad: bytes, status: int, reason: str
) -> None:
    good = lines(4)
    written = BulkWriter(cluster, index).write([*good[:2], bad, *good[2:]])
    assert (written.acknowledged, written.retries) == (4, 0)
    (letter,) = written.dead_letters
    assert (letter.id, letter.status) == ("bad", status)
    assert reason in letter.reason
    assert len(letter.reason) < 1200
    assert stored_ids(cluster, index, ["0", "1", "bad", "2", "3"]) == ["0", "1", "2", "3"]


def test_an_id_that_is_too_long_costs_only_its_own_document(cluster: Cluster, index: str) -> None:
    long = "x" * 513
    written = BulkWriter(cluster, index).write([*lines(7), line(long, n=1), line("y" * 512, n=2)])
    assert written.acknowledged == 8
    (letter,) = written.dead_letters
    assert (letter.id, letter.status, letter.document) == (long, 400, {"n": 1})
    assert "no longer than 512 bytes but was: 513" in letter.reason


def test_each_dead_letter_keeps_its_own_document(cluster: Cluster, index: str) -> None:
    mixed = [line(str(n), n=n if n % 3 else f"bad {n}") for n in range(300)]
    written = BulkWriter(cluster, index).write(mixed)
    assert written.acknowledged == 200
    assert [letter.id for letter in written.dead_letters] == [str(n) for n in range(0, 300, 3)]
    assert [letter.document for letter in written.dead_letters] == [{"n": f"bad {n}"} for n in range(0, 300, 3)]


def test_an_index_deleted_mid_job_ends_the_job_and_is_not_recreated(cluster: Cluster, index: str) -> None:
    writer = BulkWriter(cluster, index)
    writer.write(lines(1))
    Indexes(cluster).delete(index)
    with pytest.raises(TargetError, match=f"{index}.*deleted") as raised:
        writer.write(lines(10))
    assert not raised.value.retryable
    for name in (index, loading_alias(index)):
        assert not cluster.client.indices.exists(index=name)


def test_the_loading_alias_no_longer_accepts_writes_after_the_switch(cluster: Cluster, index: str, alias: str) -> None:
    Indexes(cluster).switch(alias, index)
    with pytest.raises(TargetError):
        BulkWriter(cluster, index).write(lines(1))
    assert BulkWriter(cluster, index, alias=alias).write(lines(1)).acknowledged == 1


@pytest.mark.parametrize("name", ["read_only", "write", "read_only_allow_delete"])
def test_a_blocked_index_ends_the_job_at_once_without_dead_letters(cluster: Cluster, index: str, name: str) -> None:
    waits: list[str] = []
    block(cluster, index, name, on=True)
    try:
        with pytest.raises(TargetError, match=f"{index}.*lift the block") as raised:
            BulkWriter(cluster, index, on_wait=lambda reason, _: waits.append(reason)).write(lines(10))
    finally:
        block(cluster, index, name, on=None)
    assert not raised.value.retryable
    assert waits == []


def test_a_closed_index_ends_the_job(cluster: Cluster, index: str) -> None:
    cluster.client.indices.close(index=index)
    with pytest.raises(TargetError, match="open the index"):
        BulkWriter(cluster, index).write(lines(10))


def test_unassigned_shards_are_retried_until_patience_ends(cluster: Cluster, alias: str) -> None:
    index = f"{alias}_20261122_101500"
    cluster.client.indices.create(
        index=index,
        aliases={loading_alias(index): {}},
        settings={"index.routing.allocation.require._name": "no_such_node"},
        wait_for_active_shards=0,
    )
    waits: list[str] = []
    # The server itself waits a minute for the shard.
    client = cluster.client.options(request_timeout=0.3)
    impatient = Cluster(client, client, cluster.url, cluster.version)
    with pytest.raises(TargetUnavailable, match="in time"):
        BulkWriter(impatient, index, retry=RetryPolicy(0.5), on_wait=lambda reason, _: waits.append(reason)).write(
            lines(1)
        )
    assert waits


def test_writers_may_be_shared_between_threads(cluster: Cluster, index: str) -> None:
    writer = BulkWriter(cluster, index)
    done: list[int] = []

    def work(first: int) -> None:
        batches = [[line(str(first + step * 100 + n), n=n) for n in range(100)] for step in range(5)]
        done.extend(writer.write(batch).acknowledged for batch in batches)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 4000, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 4000
    Indexes(cluster).finish(index, {})
    assert Indexes(cluster).count(index) == 4000


def test_a_stopped_writer_writes_nothing(cluster: Cluster, index: str) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        BulkWriter(cluster, index, limiter=RateLimiter(stop=stop)).write(lines(1))
    assert stored_ids(cluster, index, ["0"]) == []
