"""CrateDB becomes unavailable mid-job, briefly or for good: the job waits, says why, and loses nothing."""

import json
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb import HOW_TO_GET
from indexer.sandbox.cratedb_table import crate_cursor
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server
from tests.support.attack import Running
from tests.support.attack_table import AttackRecord
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import Ended, run, start
from tests.support.index_contents import documents
from tests.support.newest_job import wait_for_rows
from tests.support.quick_servers import start_quick_cratedb

pytestmark = [pytest.mark.slow, pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 15_000
PAGE = 20
"""Rows a page: few enough for the job to be still reading when the server stops."""


@dataclass
class OwnServer:
    """A CrateDB that a test stops and restarts on the same data and port."""

    folder: Path
    port: int
    running: Server | None = None

    @property
    def url(self) -> str:
        return f"crate://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.running = start_quick_cratedb(self.folder, port=self.port)
        if self.running is None or self.running.process is None:
            pytest.skip(HOW_TO_GET)

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
            self.running = None


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server with a partitioned table, created once."""
    with tempfile.TemporaryDirectory(prefix="cratedb-") as folder:
        server = OwnServer(Path(folder), free_port())
        server.start()
        try:
            with crate_cursor(server.url) as cursor:
                cursor.execute(
                    "CREATE TABLE logs (id BIGINT, day INTEGER, m TEXT, PRIMARY KEY (id, day))"
                    " CLUSTERED INTO 2 SHARDS PARTITIONED BY (day) WITH (number_of_replicas = 0)"
                )
                cursor.execute(
                    f"INSERT INTO logs SELECT i, i % 3, 'message ' || i FROM generate_series(1, {ROWS}) AS t (i)"
                )
                cursor.execute("REFRESH TABLE logs")
            yield server
        finally:
            server.stop()


@dataclass(frozen=True)
class Job:
    """`reindex` with fixed options, to be run several times."""

    options: Sequence[str]
    alias: str
    folder: Path
    client: Elasticsearch
    record: AttackRecord
    go: Event

    def start(self, patience: int) -> Running:
        """Start the job and wait until it is stalled after a part of the rows; setting `go` lets it continue."""
        process = start("reindex", *self.options, "--patience", str(patience), cwd=self.folder)
        wait_for_rows(self.client, self.alias, process.pid, below=ROWS)
        return Running(process)

    def served(self) -> list[str]:
        return sorted(self.client.options(ignore_status=404).indices.get_alias(name=self.alias).body)

    def assert_complete(self, ended: Ended) -> None:
        assert ended.code == 0, ended.err
        report = json.loads(ended.out)
        assert report["rows_read"] == report["rows_indexed"] == ROWS
        found = [document["id"] for document in documents(self.client, self.alias).values()]
        self.record.tried(rows=ROWS, lost=len(set(range(1, ROWS + 1)) - set(found)))
        assert sorted(found) == list(range(1, ROWS + 1))
        assert self.served() == [report["job"]]


@pytest.fixture
def job(server: OwnServer, elasticsearch_url: str, alias: str, tmp_path: Path, record: AttackRecord) -> Iterator[Job]:
    with stalled_bulk(elasticsearch_url, 100) as (proxy, go), Elasticsearch(elasticsearch_url) as client:
        options = (
            "--source", server.url, "--target", proxy.url, "--table", "logs", "--index", alias,
            "--jobs-index", f"{alias}_jobs", "--page", str(PAGE), "--json",
        )  # fmt: skip
        yield Job(options, alias, tmp_path, client, record, go)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_job_waits_for_cratedb_to_restart_and_completes(server: OwnServer, job: Job, how: signal.Signals) -> None:
    running = job.start(patience=120)
    assert server.running is not None
    assert server.running.process is not None
    server.running.process.stop(grace=30.0 if how is signal.SIGTERM else 0.0)
    job.go.set()
    running.err.wait_for(r"waiting: the source is unavailable \(.+\); retrying for up to 120 s")
    server.start()
    job.assert_complete(running.end())


def test_a_cratedb_outage_beyond_patience_fails_the_job_and_a_resume_completes_it(server: OwnServer, job: Job) -> None:
    first = run("reindex", *job.options, "--where", "id <= 10", cwd=job.folder)
    assert first.code == 0, first.err
    old = job.served()
    running = job.start(patience=3)
    server.stop()
    job.go.set()
    began = time.monotonic()
    ended = running.end()
    assert time.monotonic() - began < 120
    assert ended.code == 1, ended.err
    assert "is unavailable (" in ended.err.splitlines()[-1]
    assert job.served() == old
    away = run("reindex", *job.options, cwd=job.folder)
    assert away.code == 2
    assert "is unavailable (" in away.err
    server.start()
    resumed = run("reindex", *job.options, cwd=job.folder, timeout=240)
    job.assert_complete(resumed)
    assert json.loads(resumed.out)["resumed"]
