"""Repairs: one at a time and never beside a job, nothing deleted after an incomplete read, dead letters known."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from indexer.settings import Settings
from indexer.sink.job_store import LostLock
from indexer.verify.findings import CheckLevel
from indexer.verify.verify import verify
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, Request, altered, held, passes
from tests.support.verification import Commands, found, named, wrong

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 200
REPAIR = ("verify", "--full", "--repair", "--page", "20")
"""A repair in which every search, of which one at a time runs, is about few documents."""


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def command(cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Commands:
    return Commands(cratedb_url, elasticsearch_url, alias, tmp_path)


@pytest.fixture
def table(command: Commands, crate_cursor: Cursor, client: Elasticsearch, schema: str, alias: str) -> str:
    """A table whose index lacks a document and has one too many."""
    table = f'"{schema}".mended'
    crate_cursor.execute(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, name TEXT) WITH (number_of_replicas = 0)")
    crate_cursor.execute(f"INSERT INTO {table} SELECT i, 'n' || i FROM generate_series(1, {ROWS}) AS t (i)")
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("reindex", "--table", table).code == 0
    client.delete(index=alias, id="150")
    client.index(index=alias, id="nobody", document={"name": "nobody"}, refresh=True)
    return table


def is_as_it_was(client: Elasticsearch, alias: str) -> bool:
    """Whether nothing was repaired."""
    client.indices.refresh(index=alias)
    return not client.exists(index=alias, id="150") and bool(client.exists(index=alias, id="nobody"))


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def compares(request: Request) -> bool:
    return request.path.startswith("/_search?") and b'"_shard_doc"' in request.body


def when_comparing(fault: Fault) -> Fault:
    """The fault for a question for documents; all else passes."""

    def chosen(exchange: Exchange) -> None:
        (fault if compares(exchange.request) else passes)(exchange)

    return chosen


@contextmanager
def repair_on_hold(command: Commands, url: str) -> Iterator[tuple["subprocess.Popen[str]", threading.Event]]:
    """A repair that has begun and waits for Elasticsearch, until the event."""
    go_on = threading.Event()
    with FaultProxy(url, on="/") as proxy:
        proxy.otherwise = when_comparing(held(go_on))
        process = replace(command, target=proxy.url).start(*REPAIR)
        try:
            wait_for(lambda: any(map(compares, proxy.seen)))
            yield process, go_on
        finally:
            go_on.set()
            process.kill()
            process.communicate()


def job(client: Elasticsearch, command: Commands) -> dict[str, Any]:
    """The newest job of the alias, which is its lock."""
    state: dict[str, Any] = client.get(index=command.jobs, id=f"alias:{command.alias}")["_source"]
    return state


@pytest.mark.usefixtures("table")
def test_no_job_and_no_repair_runs_beside_a_repair(
    command: Commands, client: Elasticsearch, elasticsearch_url: str, alias: str, table: str
) -> None:
    before = job(client, command)
    with repair_on_hold(command, elasticsearch_url) as (process, go_on):
        assert job(client, command)["holder"]["pid"] == process.pid
        for words in (("reindex", "--table", table), REPAIR):
            refused = command(*words)
            assert refused.code == 2, refused.out
            assert f"The job {before['job']} is repairing for {alias}: process {process.pid} on " in refused.err
        assert command("verify", "--full").code == 4, "looking is allowed"
        assert is_as_it_was(client, alias)
        go_on.set()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert json.loads(out)["repair"]["deleted"] == 1
    after = job(client, command)
    assert {**after, "holder": 0, "beat": 0, "heartbeat": 0} == {**before, "holder": 0, "beat": 0, "heartbeat": 0}
    assert command("verify", "--full").code == 0
    assert command("reindex", "--table", table).code == 0


def test_a_repair_is_refused_while_a_job_runs(
    command: Commands, client: Elasticsearch, elasticsearch_url: str, alias: str, table: str
) -> None:
    go_on = threading.Event()
    with FaultProxy(elasticsearch_url, on="/_bulk") as proxy:
        proxy.otherwise = held(go_on)
        process = replace(command, target=proxy.url).start("reindex", "--table", table)
        try:
            wait_for(lambda: proxy.seen)
            refused = command(*REPAIR)
            assert refused.code == 2
            assert f"is running for {alias}: process {process.pid} on " in refused.err
            assert is_as_it_was(client, alias)
        finally:
            go_on.set()
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


@pytest.mark.usefixtures("table")
def test_a_repair_that_lost_the_lock_writes_nothing(
    command: Commands, client: Elasticsearch, elasticsearch_url: str, alias: str
) -> None:
    go_on = threading.Event()
    with FaultProxy(elasticsearch_url, on="/_search?") as proxy, ThreadPoolExecutor() as pool:
        proxy.otherwise = when_comparing(held(go_on))
        settings = Settings(source=command.source, target=proxy.url, index=alias, jobs_index=command.jobs)
        repair = pool.submit(verify, settings, CheckLevel.FULL, max_deletes=1.0)
        try:
            wait_for(lambda: any(map(compares, proxy.seen)))
            taken = job(client, command)
            taken["holder"]["pid"] += 1  # by the same process, it would be a write that it did not hear of
            client.index(index=command.jobs, id=f"alias:{alias}", document=taken)
            wait_for(lambda: "lease" not in {thread.name for thread in threading.enumerate()})
        finally:
            go_on.set()
        with pytest.raises(LostLock, match=f"Another process took the job of {alias} over"):
            repair.result(timeout=60)
    assert is_as_it_was(client, alias)


def test_a_repair_that_was_killed_leaves_a_job_that_is_done(
    command: Commands, client: Elasticsearch, elasticsearch_url: str, table: str
) -> None:
    with repair_on_hold(command, elasticsearch_url) as (process, _):
        process.kill()
        process.wait()
    assert job(client, command)["status"] == "repairing"
    assert command(*REPAIR).code == 0
    assert job(client, command)["status"] == "done"
    with repair_on_hold(command, elasticsearch_url) as (process, _):
        process.kill()
        process.wait()
    ended = command("reindex", "--table", table)
    assert ended.code == 0, ended.err
    assert not json.loads(ended.out)["resumed"]


@pytest.mark.usefixtures("table")
def test_only_what_may_differ_is_looked_up(command: Commands, elasticsearch_url: str) -> None:
    """Everything else is known to be the same by its sums: looking documents up costs four times as much."""
    with FaultProxy(elasticsearch_url, on="/_search") as proxy:
        ended = replace(command, target=proxy.url)("verify", "--full")
    assert (ended.code, named(found(ended))) == (4, {"150": "missing", "nobody": "extra"})
    asked = [json.loads(request.body).get("query", {}).get("ids", {}).get("values", []) for request in proxy.seen]
    looked_up = {id_ for ids in asked for id_ in ids}
    assert {"150", "nobody"} <= looked_up
    assert len(looked_up) < ROWS / 10


def test_a_repair_of_an_alias_without_a_job_leaves_none(
    command: Commands, client: Elasticsearch, alias: str, table: str
) -> None:
    client.indices.delete(index=command.jobs)
    assert command(*REPAIR, "--table", table).code == 0
    assert not client.exists(index=command.jobs, id=f"alias:{alias}")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("true", "false"), [(b'"failed":0', b'"failed":1'), (b'"timed_out":false', b'"timed_out":true')]
)
def test_an_answer_without_every_shard_ends_a_repair(
    true: bytes, false: bytes, command: Commands, client: Elasticsearch, elasticsearch_url: str, alias: str
) -> None:
    """Elasticsearch says so in an answer that is a success otherwise; documents it lacks would be written anew."""
    with FaultProxy(elasticsearch_url) as proxy:
        proxy.otherwise = when_comparing(altered(lambda body: body.replace(true, false, 1)))
        ended = replace(command, target=proxy.url)(*REPAIR, "--patience", "0.5")
    assert ended.code == 1
    assert "Not every shard of " in ended.err
    assert is_as_it_was(client, alias)


@pytest.fixture
def dead(crate_cursor: Cursor, schema: str, tmp_path: Path) -> str:
    """A table of 40 rows, of which two are rejected with the mapping file `ip.yaml`."""
    table = f'"{schema}".dead'
    crate_cursor.execute(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, address TEXT) WITH (number_of_replicas = 0)")
    crate_cursor.execute(
        f"INSERT INTO {table} SELECT i, CASE WHEN i % 20 = 7 THEN 'host ' || i ELSE '10.0.0.' || i END"
        " FROM generate_series(1, 40) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    (tmp_path / "ip.yaml").write_text("fields: {address: ip}\n")
    return table


def test_dead_letters_in_an_index_are_known_to_be_missing_on_every_machine(
    command: Commands, alias: str, dead: str, tmp_path: Path
) -> None:
    options = ("--mapping", "ip.yaml")
    more = ("--dead-letter-index", f"{alias}_dead")
    assert command("reindex", "--table", dead, *options, *more, cache=tmp_path / "here").code == 3
    elsewhere = command("verify", "--full", *options, cache=tmp_path / "elsewhere")
    assert (elsewhere.code, named(found(elsewhere))) == (3, {"7": "rejected", "27": "rejected"})
    said = {one["_id"]: one["what"] for part in found(elsewhere)["slices"] for one in part["first"]}
    assert "'host 7' is not an IP string literal" in said["7"][0]


def test_dead_letters_are_known_to_be_missing(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, dead: str, alias: str, tmp_path: Path
) -> None:
    table, options = dead, ("--mapping", "ip.yaml")
    here = tmp_path / "here"
    assert command("reindex", "--table", table, *options, cache=here).code == 3

    for check in ("--counts", "--sample=100%", "--full"):
        ended = command("verify", check, *options, cache=here)
        assert ended.code == 3, (check, ended.out)
        assert found(ended)["dead_letters"] == 2
        assert wrong(found(ended)) == (0, 0, 0)
    assert named(found(ended)) == {"7": "rejected", "27": "rejected"}
    said = {one["_id"]: one["what"] for part in found(ended)["slices"] for one in part["first"]}
    assert "'host 7' is not an IP string literal" in said["7"][0]
    elsewhere = command("verify", "--full", *options, cache=tmp_path / "elsewhere")
    assert (elsewhere.code, found(elsewhere)["missing"], found(elsewhere)["dead_letters"]) == (4, 2, 2)

    again = command("verify", "--full", "--repair", *options, cache=here)
    assert again.code == 3, again.out
    assert (found(again)["repair"]["written"], found(again)["repair"]["still_rejected"]) == (0, 2)
    client.delete(index=alias, id="1")
    worse = command("verify", "--full", *options, cache=here)
    assert (worse.code, wrong(found(worse)), found(worse)["rejected"]) == (4, (1, 0, 0), 2)
    crate_cursor.execute(f"UPDATE {table} SET address = '10.1.1.1' WHERE id IN (7, 27)")
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("verify", "--full", "--repair", *options, cache=here).code == 0
    assert command("verify", "--full", *options, cache=here).code == 0
