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

from bench import watching
from bench.curves import DEPTHS, Curves, measure_curves
from bench.data import make_logs
from bench.database import query
from bench.narrow import make_narrow
from bench.page_sql import Key, Table, strategies
from bench.servers import FOLDER
from bench.watching import watched
from bench.wide import make_wide
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
WAYS = {(key, strategy) for key in Key for strategy in strategies(key)}


@pytest.fixture(scope="module")
def narrow(cratedb_url: str) -> Iterator[TableName]:
    schema = f"test_{uuid4().hex[:12]}"
    try:
        yield make_narrow(cratedb_url, ROWS, schema)
    finally:
        query(cratedb_url, f"DROP TABLE IF EXISTS {schema}.bench_narrow_{ROWS}")


@pytest.fixture(scope="module")
def curves(cratedb_url: str, narrow: TableName) -> Curves:
    return measure_curves(cratedb_url, [Table(narrow, ROWS, PAGE)], lambda _: 1, 60, lambda _: None)


def test_every_strategy_walks_every_row_of_every_kind_of_key(curves: Curves) -> None:
    assert {(one.key, one.strategy) for one in curves.wholes} == WAYS
    assert [one for one in curves.wholes if not one.measured or one.rows != ROWS] == []


def test_every_depth_has_a_page_that_is_as_full_as_it_should_be(curves: Curves) -> None:
    assert len(curves.samples) == len(WAYS) * len(DEPTHS)
    for one in curves.samples:
        assert one.error is None
        assert PAGE / 8 < one.rows <= PAGE, one


def test_what_the_server_holds_is_seen(curves: Curves) -> None:
    assert len(curves.loads) == 3 * len(WAYS)
    assert all(0 < load.heap <= load.heap_max and load.looks for load in curves.loads)


def test_what_the_server_refuses_is_told(cratedb_url: str) -> None:
    load = watched(cratedb_url, "a query", "SELECT 1 / 0", [])
    assert load.error
    assert "by zero" in load.error


def test_a_server_that_refuses_to_be_watched_ends_nothing(cratedb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LOOK", "SELECT 1 / 0")
    load = watched(cratedb_url, "a query", "SELECT 1", [])
    assert (load.heap, load.looks, load.error) == (0, 0, None)


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
        with subprocess.Popen(command, cwd=Path(__file__).parents[2], env=own, stderr=subprocess.DEVNULL) as bench:
            log = Path(folder) / cache.SERVERS / FOLDER / "cratedb" / "out.log"
            assert wait_until(lambda: log.exists() and log.stat().st_size > 0, timeout=60)
            (server,) = psutil.Process(bench.pid).children()
            bench.send_signal(how)
            assert bench.wait(60) == 128 + how
        assert not server.is_running()
