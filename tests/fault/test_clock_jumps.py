"""Wrong or changing clocks on either machine: a live job keeps its lock, and a dead one does not."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.process import wait_until
from indexer.sandbox.sample_table import load_sqlite_sample
from tests.support.attack_table import AttackRecord
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import environment, run
from tests.support.fault_proxy import FaultProxy

pytestmark = pytest.mark.elasticsearch

ROWS = 3_000
DAY = 86_400

ELSEWHERE = """
import datetime, signal, socket, sys, time

real, clock = datetime.datetime, time.time
shift = float(sys.argv.pop(1))

class Shifted(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=shift)

def jump(*_):
    global shift
    shift -= 86_400

datetime.datetime, time.time, socket.gethostname = Shifted, lambda: clock() + shift, lambda: "elsewhere"
signal.signal(signal.SIGUSR1, jump)
from indexer.cli.main import reindex
reindex()
"""
"""`reindex` under another host name, its clock off by argv[1] seconds; SIGUSR1 sets the clock back by a day."""


@dataclass(frozen=True)
class Held:
    """A stalled job on another machine, which continues once `go` is set, and the options all jobs of a test share."""

    options: tuple[str, ...]
    alias: str
    proxy: FaultProxy
    go: threading.Event
    folder: Path
    client: Elasticsearch

    @contextmanager
    def elsewhere(self, shift: int) -> Iterator["subprocess.Popen[str]"]:
        with subprocess.Popen(
            [sys.executable, "-c", ELSEWHERE, str(shift), *self.options, "--target", self.proxy.url, "--quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=environment(),
        ) as process:
            try:
                assert wait_until(lambda: len(self.proxy.requests) > 1, 60)
                yield process
            finally:
                process.kill()

    def heartbeat(self) -> timedelta:
        """The last heartbeat minus this machine's clock."""
        lock = self.client.get(index=f"{self.alias}_jobs", id=f"alias:{self.alias}")["_source"]
        assert lock["holder"]["host"] == "elsewhere"
        return datetime.fromisoformat(lock["heartbeat"]) - datetime.now(UTC)


@pytest.fixture
def job(elasticsearch_url: str, alias: str, tmp_path: Path) -> Iterator[Held]:
    load_sqlite_sample(tmp_path / "logs.db", ROWS)
    options = (
        "--source", f"sqlite:///{tmp_path}/logs.db", "--index", alias, "--jobs-index", f"{alias}_jobs",
        "--page", "500", "--batch-bytes", "64KiB",
    )  # fmt: skip
    with stalled_bulk(elasticsearch_url, 1) as (proxy, go), Elasticsearch(elasticsearch_url) as client:
        yield Held(options, alias, proxy, go, tmp_path, client)


def test_setting_the_clock_back_does_not_lose_the_lock(job: Held, elasticsearch_url: str, record: AttackRecord) -> None:
    with job.elsewhere(0) as process:
        process.send_signal(signal.SIGUSR1)
        assert wait_until(lambda: job.heartbeat() < timedelta(hours=-23), 30)
        second = run("reindex", *job.options, "--target", elasticsearch_url, cwd=job.folder)
        assert second.code == 2
        assert f"process {process.pid} on elsewhere" in second.err
        job.go.set()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    record.tried(rows=ROWS, lost=ROWS - job.client.count(index=job.alias)["count"])


def test_a_dead_holder_with_a_clock_ahead_does_not_keep_the_lock(
    job: Held, elasticsearch_url: str, alias: str, record: AttackRecord
) -> None:
    with job.elsewhere(DAY) as process:
        assert wait_until(lambda: job.heartbeat() > timedelta(hours=23), 30)
        process.send_signal(signal.SIGKILL)
    command = ("reindex", *job.options, "--target", elasticsearch_url, "--json")
    taken = run(*command, cwd=job.folder)
    assert taken.code == 0, taken.err
    first = json.loads(taken.out)
    assert first["resumed"]
    record.tried(rows=ROWS, lost=ROWS - job.client.count(index=alias)["count"])
    # The index name has tomorrow's time; the next index must still sort after it, so that rollback finds both.
    second = json.loads(run(*command, cwd=job.folder).out)["index"]
    assert first["index"] < second
    assert run("indexer", "rollback", "--index", alias, "--target", elasticsearch_url, cwd=job.folder).code == 0
    assert set(job.client.indices.get_alias(name=alias)) == {first["index"]}
