"""The lock of an alias: one job at a time, however many start together."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer import Report, Settings, reindex
from indexer.errors import UsageError
from indexer.job.lock import is_dead, this_process
from indexer.model.job.state import LockHolder
from indexer.sandbox.process import wait_until
from indexer.sandbox.sample_table import load_sqlite_sample
from tests.support.attack_table import AttackRecord
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import Ended, start
from tests.support.fault_proxy import Exchange, FaultProxy, pass_through

pytestmark = pytest.mark.elasticsearch

ROWS = 2_000


@pytest.fixture
def source(tmp_path: Path) -> str:
    load_sqlite_sample(tmp_path / "logs.db", ROWS)
    return f"sqlite:///{tmp_path}/logs.db"


@pytest.fixture
def options(source: str, alias: str) -> tuple[str, ...]:
    return ("--source", source, "--index", alias, "--jobs-index", f"{alias}_jobs", "--page", "100", "--json", "--quiet")


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


def two_at_once(elasticsearch_url: str, options: tuple[str, ...], on: str) -> tuple[int, Ended, Ended]:
    """Two jobs whose first requests of this kind meet: the winner's pid, the winner's result, the loser's result."""
    both = threading.Barrier(2)

    def together(exchange: Exchange) -> None:
        both.wait(120)
        pass_through(exchange)

    with FaultProxy(elasticsearch_url, pattern=on) as proxy:
        proxy.script(together, together)
        takers = [start("reindex", *options, "--target", proxy.url) for _ in range(2)]
        ended = {taker.pid: Ended(taker.wait(120), *taker.communicate()) for taker in takers}
    (winner, won), (_, lost) = sorted(ended.items(), key=lambda one: one[1].code)
    assert (won.code, lost.code) == (0, 2), ended
    return winner, won, lost


def assert_one_index_has_all(client: Elasticsearch, alias: str, record: AttackRecord) -> None:
    """The losing job left no index behind."""
    assert len(client.indices.get(index=f"{alias}_2*", expand_wildcards="all")) == 1
    record.tried(rows=ROWS, lost=ROWS - client.count(index=alias)["count"])


@pytest.mark.parametrize("place", ["here", "another machine"])
def test_only_one_of_two_jobs_takes_over_a_dead_holders_lock(
    elasticsearch_url: str,
    client: Elasticsearch,
    alias: str,
    options: tuple[str, ...],
    record: AttackRecord,
    place: str,
) -> None:
    """A holder on another machine counts as dead only when its heartbeats stop."""
    with stalled_bulk(elasticsearch_url) as (proxy, _):
        first = start("reindex", *options, "--target", proxy.url)
        assert wait_until(lambda: bool(proxy.requests), 180)
        first.send_signal(signal.SIGKILL)
        first.communicate()
    if place != "here":
        client.update(index=f"{alias}_jobs", id=f"alias:{alias}", doc={"holder": {"place": place}})
    winner, won, lost = two_at_once(elasticsearch_url, options, on=f"PUT /{alias}_jobs/_doc/alias")
    assert f"process {winner} on {os.uname().nodename}" in lost.err
    assert '"resumed": true' in won.out
    assert_one_index_has_all(client, alias, record)


def test_of_two_jobs_started_at_once_one_is_refused_and_leaves_no_index(
    elasticsearch_url: str, client: Elasticsearch, alias: str, options: tuple[str, ...], record: AttackRecord
) -> None:
    two_at_once(elasticsearch_url, options, on=f"PUT /{alias}_2")
    assert_one_index_has_all(client, alias, record)


def test_a_second_job_in_the_same_process_is_refused(
    elasticsearch_url: str, client: Elasticsearch, alias: str, source: str, record: AttackRecord
) -> None:
    settings = Settings(table="logs", source=source, target=elasticsearch_url, index=alias, jobs_index=f"{alias}_jobs")
    reports: list[Report] = []
    with stalled_bulk(elasticsearch_url) as (proxy, go):
        slow = settings.model_copy(update={"target": proxy.url})
        first = threading.Thread(target=lambda: reports.append(reindex(slow)))
        first.start()
        assert wait_until(lambda: bool(proxy.requests), 180)
        with pytest.raises(UsageError, match=f"process {os.getpid()} on"):
            reindex(settings)
        go.set()
        first.join(180)
    assert [report.rows_indexed for report in reports] == [ROWS]
    assert_one_index_has_all(client, alias, record)


def holder_of(pid: int) -> LockHolder:
    """The lock holder that this process id would be."""
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return replace(this_process(), pid=pid, started=int(started))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of processes in /proc")
def test_a_lock_holder_counts_as_dead_only_if_its_process_is_known_to_be_gone() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        holder = holder_of(process.pid)
        assert not is_dead(holder)
        assert is_dead(replace(holder, started=holder.started - 1)), "its number went to another process"
        process.kill()
        assert wait_until(lambda: is_dead(holder), 60), "before its parent has heard of it"
    assert is_dead(holder)
    # Two containers may share a host name, and each has a process 1.
    assert not is_dead(replace(holder, place="another boot, or another namespace"))
    assert not is_dead(replace(holder, place=""))
    ours = this_process()
    assert not is_dead(ours), "another thread may hold it"
    assert ours != this_process()
