"""The parts of the benchmarks that ask a server, on tables that are small enough for a test."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from bench.meter.servers import bench_folder, query
from bench.scenarios.page_curves import DEPTHS, WAYS, PageTime, time_pages
from bench.scenarios.page_sql import NarrowTable
from bench.scenarios.tables import make_logs, make_narrow, make_wide
from indexer.model.table.table import TableName
from indexer.sandbox import cache
from indexer.sandbox.cratedb import HOW_TO_GET
from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.process import wait_until
from tests.support.commands import environment
from tests.support.crate_cluster import crate_home

pytestmark = pytest.mark.cratedb

ROWS = 2_317
PAGE = 250


@pytest.fixture(scope="module")
def narrow(cratedb_url: str) -> Iterator[TableName]:
    schema = f"test_{uuid4().hex[:12]}"
    try:
        yield make_narrow(cratedb_url, ROWS, schema)
    finally:
        query(cratedb_url, f"DROP TABLE IF EXISTS {schema}.bench_narrow_{ROWS}")


@pytest.fixture(scope="module")
def pages(cratedb_url: str, narrow: TableName) -> list[PageTime]:
    return list(time_pages(cratedb_url, [NarrowTable(narrow, ROWS, PAGE)], 1, lambda _: None))


def test_every_depth_has_a_page_of_every_way_that_is_as_full_as_it_should_be(pages: list[PageTime]) -> None:
    assert sorted((one.key, one.strategy, one.depth) for one in pages) == sorted(
        (*way, depth) for way in WAYS for depth in DEPTHS
    )
    for one in pages:
        assert one.error is None
        assert PAGE / 8 < one.rows <= PAGE, one


def test_a_page_that_the_source_refuses_is_kept_with_its_error(cratedb_url: str) -> None:
    absent = NarrowTable(TableName("absent", "bench"), ROWS, PAGE)
    pages = list(time_pages(cratedb_url, [absent], 1, lambda _: None))
    assert len(pages) == len(WAYS) * len(DEPTHS)
    assert all(one.milliseconds is None and "nknown" in (one.error or "") for one in pages)


def test_wide_rows_are_as_wide_as_they_should_be(cratedb_url: str, crate_cursor: Cursor, schema: str) -> None:
    table = make_wide(cratedb_url, 100_001, 7, schema)
    crate_cursor.execute(f"SELECT count(*), min(length(payload)), max(length(payload)) FROM {table}", [])
    assert crate_cursor.fetchall() == [[7, 100_001, 100_001]]


def test_a_table_that_is_there_is_found_and_one_of_other_rows_is_made_anew(cratedb_url: str, schema: str) -> None:
    table, told = TableName("logs", schema), list[str]()
    for rows in (20, 20, 30):
        make_logs(cratedb_url, rows, told.append, table, generated=12)
        made = query(cratedb_url, f"SELECT count(*), max(id), count(DISTINCT trace_id) FROM {table}")
        assert made == [[rows, rows, rows]]
    assert [line.split()[0] for line in told] == ["Made", "Found", "Made"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_benchmark_that_is_told_to_stop_stops_the_server_that_it_started(how: signal.Signals) -> None:
    if crate_home() is None:
        pytest.skip(HOW_TO_GET)
    command = [sys.executable, "-m", "bench", "paging", "--rows", "100"]
    with tempfile.TemporaryDirectory() as folder:  # the account of servers has no way into pytest's own
        own = environment(INDEXER_CACHE=folder)
        with subprocess.Popen(command, cwd=Path(__file__).parents[3], env=own, stderr=subprocess.DEVNULL) as bench:
            log = Path(folder) / cache.SERVERS / bench_folder().name / "cratedb" / "out.log"
            assert wait_until(lambda: log.exists() and log.stat().st_size > 0, timeout=60)
            (server,) = psutil.Process(bench.pid).children()
            bench.send_signal(how)
            assert bench.wait(60) == 128 + how
        assert not server.is_running()
