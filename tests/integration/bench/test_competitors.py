"""The other products on the real servers, in environments of their own: installed and run only where asked to."""

import os
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from bench.competitors.catalog import OTHER_PRODUCTS, program
from bench.competitors.runner import delete_leftovers, run_competitor
from bench.competitors.task import Competitor, Differences, Task
from bench.meter.servers import query
from bench.scenarios.kill import kill_each
from bench.scenarios.tables import make_logs
from indexer.job.overlay_file import shipped_mappings
from indexer.model.table.table import TableName
from indexer.sandbox.sample_logs import SampleRow

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch, pytest.mark.slow, pytest.mark.timeout(1_500)]

ROWS = 2_000
KILLED = 40_000


@pytest.fixture(scope="module")
def task(cratedb_url: str, elasticsearch_url: str) -> Iterator[Task]:
    name = f"test_{uuid4().hex[:12]}"
    table, mapping = TableName("logs", name), str(shipped_mappings() / "logs.yaml")
    made = Task(Competitor.READ, cratedb_url, elasticsearch_url, str(table), mapping, name, columns=SampleRow._fields)
    try:
        make_logs(cratedb_url, ROWS, lambda _: None, table)
        yield made
    finally:
        delete_leftovers(made)
        query(cratedb_url, f"DROP TABLE IF EXISTS {table}")


def test_a_competitor_that_was_killed_at_half_way_moves_every_row_when_it_is_run_again(task: Task) -> None:
    made = replace(task, table=f"{task.table}_killed")
    make_logs(task.source, KILLED, lambda _: None, TableName("logs_killed", task.alias))
    try:
        found, failed = kill_each(made, KILLED, (Competitor.READ, Competitor.REINDEX, Competitor.TUNED), print)
    finally:
        query(task.source, f"DROP TABLE IF EXISTS {made.table}")
    assert failed == ()
    assert [one.competitor for one in found] == [Competitor.REINDEX, Competitor.TUNED]
    for one in found:
        assert KILLED / 2 <= one.left <= KILLED
        assert one.after == Differences(KILLED, 0, 0, 0)
        assert one.rewritten == KILLED
    _, usual = found
    assert usual.written == KILLED


@pytest.mark.parametrize("competitor", OTHER_PRODUCTS)
def test_another_product_moves_every_row_as_it_is(task: Task, competitor: Competitor) -> None:
    if not os.environ.get("BENCH_OTHERS"):
        pytest.skip(f"{competitor}: set BENCH_OTHERS=1 to install and run it: half a gigabyte, minutes.")
    if reason := program(competitor).reason:
        pytest.skip(f"{competitor}: {reason}")
    run = run_competitor(task.by(competitor), compared=True)
    assert (run.rows, run.documents) == (ROWS, ROWS)
    assert run.differences == Differences(ROWS, 0, 0, 0)
    assert run.peak_rss > 50_000_000
    assert run.usage.client > 0.5
