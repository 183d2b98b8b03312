"""Concurrent writes to the table: no surviving row is lost, and catch-up loads new and changed rows."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.process import wait_until
from tests.support.attack_table import AttackRecord
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import Ended, run, start
from tests.support.concurrent_writer import BEGIN, ChangingTable, concurrent_writes
from tests.support.fault_proxy import FaultProxy, cut_before, pass_through, run_before
from tests.support.index_contents import documents
from tests.support.newest_job import newest_job

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 20_000
TAKEN = 20
"""Bulk requests that succeed before the job is stalled: about a third of all."""


@pytest.fixture
def table(crate_cursor: Cursor, schema: str) -> ChangingTable:
    name = f'"{schema}".moving'
    crate_cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, ts TIMESTAMP, state BIGINT, m TEXT)"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0)"
    )
    crate_cursor.execute(
        f"INSERT INTO {name} SELECT 2 * i, {BEGIN} + 20 * i, i, 'message ' || i"
        f" FROM generate_series(0, {ROWS - 1}) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {name}")
    return ChangingTable(name, crate_cursor, ROWS)


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def options(cratedb_url: str, table: ChangingTable, alias: str) -> tuple[str, ...]:
    return (
        "--source", cratedb_url, "--table", table.name, "--index", alias, "--jobs-index", f"{alias}_jobs",
        "--page", "500", "--batch-bytes", "32KiB", "--json", "--quiet",
    )  # fmt: skip


def wait_while(process: "subprocess.Popen[str]", condition: Callable[[], bool]) -> None:
    """Wait for the condition; fail if the job ends first."""
    assert wait_until(lambda: process.poll() is not None or condition(), 180)
    assert process.poll() is None, process.communicate()


def ended(process: "subprocess.Popen[str]") -> Ended:
    out, err = process.communicate(timeout=200)
    return Ended(process.returncode, out, err)


@contextmanager
def half_way(elasticsearch_url: str, *command: str) -> Iterator[tuple["subprocess.Popen[str]", threading.Event]]:
    """A job stalled after some of its pages; it continues once the event is set."""
    with stalled_bulk(elasticsearch_url, TAKEN) as (proxy, go):
        process = start(*command, "--target", proxy.url)
        try:
            wait_while(process, lambda: len(proxy.requests) > TAKEN)
            yield process, go
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("key", ["id", "ts"])
def test_no_surviving_row_is_lost_under_concurrent_writes(
    cratedb_url: str,
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    key: str,
    record: AttackRecord,
) -> None:
    """Rows are written before the job reads anything, while it is stalled halfway, and while it reads the rest."""
    before, command = table.now(), ("reindex", *options, "--key", key)
    with concurrent_writes(cratedb_url, table) as writer, half_way(elasticsearch_url, *command) as (process, go):
        begun = writer.rounds
        wait_while(process, lambda: writer.rounds > begun + 10)
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    stayed = before.keys() & table.now().keys()
    assert len(before) / 2 < len(stayed) < len(before)
    found = documents(client, alias)
    record.tried(rows=len(stayed), lost=len(stayed - found.keys()))
    assert all(found[id_]["state"] >= before[id_][1] for id_ in stayed)


def test_catch_up_loads_every_row_added_or_changed_during_the_load(
    cratedb_url: str,
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    record: AttackRecord,
) -> None:
    # The load pages by ts: an update that moves a row to another ts also gives it a new state.
    command = ("reindex", *options, "--key", "ts", "--catch-up", "state")
    with concurrent_writes(cratedb_url, table) as writer, half_way(elasticsearch_url, *command) as (process, go):
        begun = writer.rounds
        wait_while(process, lambda: writer.rounds > begun + 10)
        writer.end()
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    rows, found = table.now(), documents(client, alias)
    record.tried(rows=len(rows), lost=len(rows.keys() - found.keys()))
    assert {id_: (found[id_]["ts"], found[id_]["state"]) for id_ in rows} == rows
    changed = sum(state > table.rows + begun + 1 for _, state in rows.values())
    assert json.loads(job.out)["rows_caught_up"] >= changed > 100


def test_rows_moved_behind_the_reader_are_found(
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    record: AttackRecord,
) -> None:
    """Some rows move behind the reader, others are deleted and added, so counts alone do not show what is missing."""
    command = ("reindex", *options, "--key", "ts", "--readers", "1")
    with half_way(elasticsearch_url, *command) as (process, go):
        last = 2 * (table.rows - 1)
        table.cursor.execute(f"UPDATE {table.name} SET ts = {BEGIN} + 1 WHERE id > {last - 200}")
        table.cursor.execute(f"DELETE FROM {table.name} WHERE id > {last - 400} AND id <= {last - 200}")
        table.insert(list(range(1, 101, 2)), 0)
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    rows = table.now()
    assert len(rows) == table.rows - 50
    assert_all_in(rows, client, alias, record)
    assert json.loads(job.out)["rows_caught_up"] >= len(rows)


def test_deletes_and_appended_logs_do_not_cause_a_full_reread(
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    record: AttackRecord,
) -> None:
    with half_way(elasticsearch_url, "reindex", *options, "--key", "id") as (process, go):
        last = 2 * (table.rows - 1)
        table.cursor.execute(f"DELETE FROM {table.name} WHERE id > {last - 2000} AND id < {last}")
        table.insert(list(range(last + 1, last + 101)), 0)
        table.cursor.execute(f"REFRESH TABLE {table.name}")  # otherwise the job may read deleted rows
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    report = json.loads(job.out)
    assert report["rows_caught_up"] <= 101
    assert_all_in(table.now(), client, alias, record)


def test_appended_logs_do_not_cause_a_full_reread_with_a_time_key(
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    record: AttackRecord,
) -> None:
    """Rows were updated only before the load, so none can have moved during it."""
    table.cursor.execute(f"UPDATE {table.name} SET ts = ts + 1 WHERE id < 1000")
    with half_way(elasticsearch_url, "reindex", *options, "--key", "ts") as (process, go):
        last = 2 * (table.rows - 1)
        table.insert(list(range(last + 1, last + 101)), 0)
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    assert json.loads(job.out)["rows_caught_up"] <= 101
    stayed = {id_ for id_ in table.now() if int(id_) <= last}
    record.tried(rows=len(stayed), lost=len(stayed - documents(client, alias).keys()))


def test_a_killed_job_resumes_after_rows_it_had_indexed_are_deleted(
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    record: AttackRecord,
) -> None:
    """A lost batch holds back the checkpoint although documents of later pages are already indexed."""
    command, ended_now = ("reindex", *options, "--key", "id", "--readers", "1"), threading.Event()
    with FaultProxy(elasticsearch_url, pattern="/_bulk") as proxy:
        proxy.script(pass_through, run_before(lambda: ended_now.wait(240), cut_before))
        process = start(*command, "--target", proxy.url)
        wait_while(process, lambda: bool(unacknowledged(client, alias)))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        ended_now.set()
    gone = unacknowledged(client, alias)
    assert gone
    table.cursor.execute(f"DELETE FROM {table.name} WHERE id = ANY(?)", (gone,))
    job = run(*command, "--target", elasticsearch_url)
    assert job.code == 0, job.err
    assert json.loads(job.out)["resumed"]
    rows = table.now()
    assert len(rows) == table.rows - len(gone)
    assert_all_in(rows, client, alias, record)


def unacknowledged(client: Elasticsearch, alias: str) -> list[int]:
    """Keys of the documents that the job has indexed but not checkpointed; the key is a number."""
    job = newest_job(client, alias)
    if not job or not client.indices.exists(index=job["job"]):
        return []
    client.indices.refresh(index=job["job"])
    left = [window["range"] for part in job["slices"] for window in part["windows"]]
    keys = [document["id"] for document in documents(client, job["job"]).values()]
    return [key for key in keys if any(lo < key <= hi for lo, hi in left)]


def test_a_job_killed_during_catch_up_resumes_the_catch_up(
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    record: AttackRecord,
) -> None:
    command = ("reindex", *options, "--catch-up", "state")
    slowly = ("--page", "50", "--batch-bytes", "8KiB")
    with half_way(elasticsearch_url, *command, *slowly) as (process, go):
        table.cursor.execute(f"UPDATE {table.name} SET state = {table.rows} + id WHERE id < {table.rows}")
        go.set()
        wait_while(process, lambda: caught_up(newest_job(client, alias)) > 0)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    loaded = newest_job(client, alias)["slices"]
    before = caught_up(newest_job(client, alias))
    refused = run("reindex", *options, "--target", elasticsearch_url)
    assert refused.code == 2
    assert "--catch-up changed (state -> none)" in refused.err
    job = run(*command, "--target", elasticsearch_url)
    assert job.code == 0, job.err
    report = json.loads(job.out)
    assert report["resumed"]
    assert newest_job(client, alias)["slices"] == loaded, "the load was read again"
    assert report["rows_caught_up"] > before
    rows, found = table.now(), documents(client, alias)
    record.tried(rows=len(rows), lost=len(rows.keys() - found.keys()))
    assert {id_: document["state"] for id_, document in found.items()} == {
        id_: state for id_, (_, state) in rows.items()
    }


def assert_all_in(rows: dict[str, tuple[int, int]], client: Elasticsearch, alias: str, record: AttackRecord) -> None:
    record.tried(rows=len(rows), lost=len(rows.keys() - documents(client, alias).keys()))


def caught_up(state: dict[str, object]) -> int:
    pass_through: list[dict[str, list[dict[str, int]]]] = state.get("passes") or []  # type: ignore[assignment]  # JSON
    return sum(part["read"] for one in pass_through for part in one["slices"])


def test_rows_not_yet_refreshed_are_loaded(
    elasticsearch_url: str,
    client: Elasticsearch,
    table: ChangingTable,
    options: tuple[str, ...],
    alias: str,
    tmp_path: Path,
    record: AttackRecord,
) -> None:
    table.cursor.execute(f"ALTER TABLE {table.name} SET (refresh_interval = 0)")
    table.insert([1, 3], table.rows)
    command = ("reindex", *options, "--catch-up", "state", "--target", elasticsearch_url)
    assert run(*command, cwd=tmp_path).code == 0
    assert_all_in(table.now(), client, alias, record)
    with half_way(elasticsearch_url, *command[:-2]) as (process, go):
        table.insert([5, 7], table.rows + 1)
        go.set()
        assert ended(process).code == 0
    assert_all_in(table.now(), client, alias, record)


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("stat", "--catch-up: .* has no column stat. Did you mean state?"),
        ("m", r"m \(TEXT\) cannot drive --catch-up"),
    ],
)
def test_catch_up_refuses_an_unknown_or_text_column(
    elasticsearch_url: str, client: Elasticsearch, options: tuple[str, ...], alias: str, column: str, sentence: str
) -> None:
    job = run("reindex", *options, "--target", elasticsearch_url, "--catch-up", column)
    assert job.code == 2
    assert len(job.err.strip().splitlines()) == 1
    assert re.search(sentence, job.err)
    assert not client.indices.get(index=f"{alias}_2*", expand_wildcards="all")
