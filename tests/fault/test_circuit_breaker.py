"""CrateDB's query circuit breaker, tripped at production size: deep OFFSET paging in ten million rows.

This file starts its own server with a 2 GB heap, so that other load on the machine does not decide what trips.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.access import SourceAccess
from indexer.errors import BreakerTripped
from indexer.model.paging.window import PageRequest, Range
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb import HOW_TO_GET, start_cratedb
from indexer.sandbox.cratedb_table import Cursor, crate_cursor
from indexer.sandbox.process import free_port
from indexer.source.cratedb import CrateSource
from tests.support.attack_table import AttackRecord
from tests.support.commands import Ended, run, start
from tests.support.newest_job import newest_job, wait_for_rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.large,
    pytest.mark.cratedb,
    pytest.mark.elasticsearch,
    pytest.mark.timeout(3600),
]

MIB = 2**20
ROWS = 10_000_000
DEEP = 9_000_000
"""OFFSET at which the job continues; paging there from the start would take hours."""

CHUNK = 500_000

MUCH = "1GiB"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="cratedb-") as folder:
        server = start_cratedb(Path(folder), port=free_port())
        if server is None:
            pytest.skip(HOW_TO_GET)
        yield server.url
        server.stop()


@pytest.fixture(scope="module")
def cursor(server: str) -> Iterator[Cursor]:
    with crate_cursor(server) as cursor:
        yield cursor


@pytest.fixture(scope="module")
def ten_million(cursor: Cursor) -> str:
    """Ten million narrow rows in 4 shards, with a text to sort by."""
    cursor.execute(
        "CREATE TABLE ten_million (id BIGINT PRIMARY KEY, uid TEXT)"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0, refresh_interval = 0)"
    )
    for first in range(0, ROWS, CHUNK):
        cursor.execute(
            "INSERT INTO ten_million SELECT i, md5(i::TEXT) FROM generate_series(?::BIGINT, ?::BIGINT) AS t (i)",
            (first, first + CHUNK - 1),
        )
    cursor.execute("REFRESH TABLE ten_million")
    return "ten_million"


@dataclass(frozen=True)
class Job:
    """`reindex` with fixed options, to be run several times."""

    alias: str
    options: Sequence[str]
    folder: Path
    client: Elasticsearch

    def run(self, *more: str) -> Ended:
        return run("reindex", *self.options, *more, cwd=self.folder, timeout=3000)

    def deep(self, offset: int, *more: str) -> None:
        """Kill a real job at its first checkpoint, then move that checkpoint to this OFFSET."""
        process = start("reindex", *self.options, *more, cwd=self.folder)
        try:
            wait_for_rows(self.client, self.alias, process.pid, below=ROWS)
        finally:
            process.kill()
            process.communicate()
        (left,) = newest_job(self.client, self.alias)["slices"]
        moved = {**left, "read": offset, "windows": [{"offset": offset}]}
        self.client.update(index=f"{self.alias}_jobs", id=f"alias:{self.alias}", doc={"slices": [moved]})

    def count(self) -> int:
        return int(self.client.count(index=self.alias)["count"])


@pytest.fixture
def job(server: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Iterator[Job]:
    # Elasticsearch is not under test here: give it as little work as possible.
    (tmp_path / "plain.yaml").write_text("fields: {id: false, uid: {type: keyword, index: false, doc_values: false}}\n")
    options = (
        "--source", server, "--target", elasticsearch_url, "--index", alias, "--jobs-index", f"{alias}_jobs",
        "--memory", "64MiB", "--page", "10000", "--json", "--quiet",
    )  # fmt: skip
    with Elasticsearch(elasticsearch_url) as client:
        yield Job(alias, options, tmp_path, client)


@pytest.fixture(scope="module")
def wider(cursor: Cursor) -> str:
    """40,000 rows of a kilobyte."""
    cursor.execute("CREATE TABLE wider (id BIGINT PRIMARY KEY, m TEXT) CLUSTERED INTO 2 SHARDS")
    cursor.execute("INSERT INTO wider SELECT i, repeat('x', 1000) FROM generate_series(1, 40000) AS t (i)")
    cursor.execute("REFRESH TABLE wider")
    return "wider"


@contextmanager
def breaker_at(limit: str, cursor: Cursor) -> Iterator[None]:
    cursor.execute(f"""SET GLOBAL TRANSIENT "indices.breaker.query.limit" = '{limit}'""")
    try:
        yield
    finally:
        cursor.execute("""RESET GLOBAL "indices.breaker.query.limit" """)


def test_a_page_trips_the_breaker_and_a_smaller_one_succeeds(server: str, cursor: Cursor, wider: str) -> None:
    source = CrateSource(SourceAccess(url=server))
    table = source.describe(TableName(wider))
    reader = source.reader(select(table, choose_key(table)))
    with breaker_at("2mb", cursor):
        with pytest.raises(BreakerTripped, match="breaker would use"):
            reader.page(PageRequest(Range(0, 10_000), 10_000))
        assert len(reader.page(PageRequest(Range(0, 10_000), 10)).rows) == 10
    reader.close()
    source.close()


def test_a_low_breaker_limit_shrinks_pages_and_the_job_completes(
    cursor: Cursor, wider: str, job: Job, record: AttackRecord
) -> None:
    with breaker_at("12mb", cursor):
        ended = job.run("--table", wider, "--memory", MUCH)  # so that only the breaker makes pages small
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    record.tried(rows=40_000, lost=40_000 - job.count(), memory=MUCH, peak=ended.peak)
    assert report["pages"] > 2 * 4, "the breaker never tripped: lower its limit"


def test_deep_offset_paging_trips_the_breaker_and_window_paging_completes(
    ten_million: str, job: Job, record: AttackRecord
) -> None:
    what = ("--table", ten_million, "--key", "uid", "--mapping", "plain.yaml")
    job.deep(DEEP, *what, "--strategy", "offset")
    failed = job.run(*what, "--strategy", "offset")
    assert failed.code == 1, failed.err
    assert "CircuitBreakingException" in failed.err
    assert f"before a page at OFFSET {DEEP:,}" in failed.err
    assert "start again with --strategy window --fresh" in failed.err
    assert len(failed.err.splitlines()) == 1, "one sentence"
    assert not job.client.indices.exists_alias(name=job.alias), "readers saw half an index"
    completed = job.run(*what, "--strategy", "window", "--fresh")
    assert completed.code == 0, completed.err
    report = json.loads(completed.out)
    peak = max(completed.peak, report["peak_rss_bytes"])
    record.tried(2, rows=ROWS, lost=ROWS - job.count(), memory="64MiB", peak=peak)
    assert report["rows_read"] == ROWS
    assert peak < (64 + 120) * MIB
    assert report["checkpoint_cpu_seconds"] < report["seconds"] / 100
