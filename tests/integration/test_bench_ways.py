"""The other products on the real servers, in environments of their own: installed and run only where asked to."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from bench.data import make_logs
from bench.database import query
from bench.programs import OTHERS, program
from bench.restarts import measure_restarts
from bench.rounds import run_way, sweep
from bench.run import Compared, Task, Way
from bench.ways.greeting import greeted
from bench.ways.wire import first_value, wire
from indexer.job.overlay_file import shipped_mappings
from indexer.model.table.table import TableName
from indexer.sandbox.sample_logs import SampleRow
from indexer.sandbox.server import http_get

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch, pytest.mark.slow, pytest.mark.timeout(1_500)]

ROWS = 2_000
KILLED = 40_000
DIFFERENT = {Way.SINGER: ROWS}
"""Singer writes timestamps as text."""


@pytest.fixture(scope="module")
def task(cratedb_url: str, elasticsearch_url: str) -> Iterator[Task]:
    name = f"test_{uuid4().hex[:12]}"
    table, mapping = TableName("logs", name), str(shipped_mappings() / "logs.yaml")
    made = Task(Way.READ, cratedb_url, elasticsearch_url, str(table), mapping, name, columns=SampleRow._fields)
    try:
        make_logs(cratedb_url, ROWS, lambda _: None, table)
        yield made
    finally:
        sweep(made)
        query(cratedb_url, f"DROP TABLE IF EXISTS {table}")


def test_a_server_that_does_not_greet_is_greeted_for_and_all_else_comes_from_it(task: Task) -> None:
    with greeted(task.target) as greeter:
        hello, about = http_get(f"{greeter}/"), http_get(f"{greeter}/_nodes/http")
    assert hello is not None
    assert about is not None
    (number,) = re.findall(rb'"number" ?: ?"([^"]+)"', hello.data)
    assert re.findall(rb'"version" ?: ?"([^"]+)"', about.data) == [number]


def test_the_port_of_postgresqls_protocol_is_the_servers_own(task: Task) -> None:
    found = wire(task.source)
    port = first_value(task.source, "SELECT port['psql'] FROM sys.nodes")
    host = urlsplit(task.source).hostname
    assert (found.url, found.user, found.password) == (f"jdbc:postgresql://{host}:{port}/doc", "crate", "")


def test_a_way_that_was_killed_at_half_way_moves_every_row_when_it_is_run_again(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOGSTASH_HOME", raising=False)
    made = replace(task, table=f"{task.table}_killed")
    make_logs(task.source, KILLED, lambda _: None, TableName("logs_killed", task.alias))
    try:
        found, skipped = measure_restarts(made, KILLED, (Way.REINDEX, Way.TUNED, Way.LOGSTASH), lambda _: None)
    finally:
        query(task.source, f"DROP TABLE IF EXISTS {made.table}")
    assert [one.way for one in found] == [Way.REINDEX, Way.TUNED]
    assert [one.way for one in skipped] == [Way.LOGSTASH]
    for one in found:
        assert KILLED / 2 <= one.left <= KILLED
        assert one.after == Compared(KILLED, 0, 0, 0)
        assert one.rewritten == KILLED
    _, usual = found
    assert usual.written == KILLED


@pytest.mark.parametrize("way", OTHERS)
def test_another_product_moves_every_row_and_what_it_changes_is_known(task: Task, way: Way) -> None:
    if not os.environ.get("BENCH_OTHERS"):
        pytest.skip(f"{way}: set BENCH_OTHERS=1 to install and run it: half a gigabyte, minutes.")
    if reason := program(way).reason:
        pytest.skip(f"{way}: {reason}")
    run = run_way(task.by(way), compared=True)
    assert (run.rows, run.documents) == (ROWS, ROWS)
    assert run.compared == Compared(ROWS, 0, 0, DIFFERENT.get(way, 0))
    assert run.peak_rss > 50_000_000
    assert run.spent.client > 0.5
