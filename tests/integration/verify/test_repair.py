"""Repairs: never beside a job or another repair, no deletes after an incomplete read, dead letters respected."""

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
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, Request, alter, hold_until, pass_through
from tests.support.verify_commands import Commands, difference_counts, named_ids, report_of

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 200
REPAIR = ("verify", "--full", "--repair", "--page", "20")
"""A repair whose searches each cover few documents."""


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def command(cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Commands:
    return Commands(cratedb_url, elasticsearch_url, alias, tmp_path)


@pytest.fixture
def table(command: Commands, crate_cursor: Cursor, client: Elasticsearch, schema: str, alias: str) -> str:
    """A table whose index lacks one document and has an extra one."""
    table = f'"{schema}".mended'
    crate_cursor.execute(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, name TEXT) WITH (number_of_replicas = 0)")
    crate_cursor.execute(f"INSERT INTO {table} SELECT i, 'n' || i FROM generate_series(1, {ROWS}) AS t (i)")
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("reindex", "--table", table).code == 0
    client.delete(index=alias, id="150")
    client.index(index=alias, id="nobody", document={"name": "nobody"}, refresh=True)
    return table


def is_as_it_was(client: Elasticsearch, alias: str) -> bool:
    """Whether nothing has been repaired."""
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
    """Apply the fault to requests that read documents; let all others pass."""

    def chosen(exchange: Exchange) -> None:
        (fault if compares(exchange.request) else pass_through)(exchange)

    return chosen


@contextmanager
def repair_on_hold(command: Commands, url: str) -> Iterator[tuple["subprocess.Popen[str]", threading.Event]]:
    """A repair stalled at Elasticsearch until the event is set."""
    go_on = threading.Event()
    with FaultProxy(url, pattern="/") as proxy:
        proxy.default = when_comparing(hold_until(go_on))
        process = replace(command, target=proxy.url).start(*REPAIR)
        try:
            wait_for(lambda: any(map(compares, proxy.requests)))
            yield process, go_on
        finally:
            go_on.set()
            process.kill()
            process.communicate()


def job(client: Elasticsearch, command: Commands) -> dict[str, Any]:
    """The newest job document of the alias, which is also its lock."""
    state: dict[str, Any] = client.get(index=command.jobs, id=f"alias:{command.alias}")["_source"]
    return state


@pytest.mark.usefixtures("table")
def test_jobs_and_other_repairs_are_refused_during_a_repair(
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


def test_a_repair_is_refused_during_a_job(
    command: Commands, client: Elasticsearch, elasticsearch_url: str, alias: str, table: str
) -> None:
    go_on = threading.Event()
    with FaultProxy(elasticsearch_url, pattern="/_bulk") as proxy:
        proxy.default = hold_until(go_on)
        process = replace(command, target=proxy.url).start("reindex", "--table", table)
        try:
            wait_for(lambda: proxy.requests)
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
    with FaultProxy(elasticsearch_url, pattern="/_search?") as proxy, ThreadPoolExecutor() as pool:
        proxy.default = when_comparing(hold_until(go_on))
        settings = Settings(source=command.source, target=proxy.url, index=alias, jobs_index=command.jobs)
        repair = pool.submit(verify, settings, CheckLevel.FULL, max_deletes=1.0)
        try:
            wait_for(lambda: any(map(compares, proxy.requests)))
            taken = job(client, command)
            taken["holder"]["pid"] += 1  # otherwise it would look like our own write whose response was lost
            client.index(index=command.jobs, id=f"alias:{alias}", document=taken)
            wait_for(lambda: "lease" not in {thread.name for thread in threading.enumerate()})
        finally:
            go_on.set()
        with pytest.raises(LostLock, match=f"Another process took over the job of {alias}"):
            repair.result(timeout=60)
    assert is_as_it_was(client, alias)


def test_after_a_killed_repair_the_job_still_counts_as_done(
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
def test_only_documents_that_may_differ_are_looked_up(command: Commands, elasticsearch_url: str) -> None:
    """Checksums prove all others equal; lookups would cost four times as much."""
    with FaultProxy(elasticsearch_url, pattern="/_search") as proxy:
        ended = replace(command, target=proxy.url)("verify", "--full")
    assert (ended.code, named_ids(report_of(ended))) == (4, {"150": "missing", "nobody": "extra"})
    asked = [json.loads(request.body).get("query", {}).get("ids", {}).get("values", []) for request in proxy.requests]
    looked_up = {id_ for ids in asked for id_ in ids}
    assert {"150", "nobody"} <= looked_up
    assert len(looked_up) < ROWS / 10


def test_repairing_an_alias_without_a_job_leaves_no_job_document(
    command: Commands, client: Elasticsearch, alias: str, table: str
) -> None:
    client.indices.delete(index=command.jobs)
    assert command(*REPAIR, "--table", table).code == 0
    assert not client.exists(index=command.jobs, id=f"alias:{alias}")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("true", "false"), [(b'"failed":0', b'"failed":1'), (b'"timed_out":false', b'"timed_out":true')]
)
def test_a_partial_search_response_ends_a_repair(
    true: bytes, false: bytes, command: Commands, client: Elasticsearch, elasticsearch_url: str, alias: str
) -> None:
    """Elasticsearch reports this in a successful response; the absent documents would be rewritten."""
    with FaultProxy(elasticsearch_url) as proxy:
        proxy.default = when_comparing(alter(lambda body: body.replace(true, false, 1)))
        ended = replace(command, target=proxy.url)(*REPAIR, "--patience", "0.5")
    assert ended.code == 1
    assert "Some shards of " in ended.err
    assert is_as_it_was(client, alias)


@pytest.fixture
def dead(crate_cursor: Cursor, schema: str, tmp_path: Path) -> str:
    """A table of 40 rows, two of which are rejected with the mapping file `ip.yaml`."""
    table = f'"{schema}".dead'
    crate_cursor.execute(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, address TEXT) WITH (number_of_replicas = 0)")
    crate_cursor.execute(
        f"INSERT INTO {table} SELECT i, CASE WHEN i % 20 = 7 THEN 'host ' || i ELSE '10.0.0.' || i END"
        " FROM generate_series(1, 40) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    (tmp_path / "ip.yaml").write_text("fields: {address: ip}\n")
    return table


def test_dead_letters_in_an_index_explain_missing_documents_on_every_machine(
    command: Commands, alias: str, dead: str, tmp_path: Path
) -> None:
    options = ("--mapping", "ip.yaml")
    more = ("--dead-letter-index", f"{alias}_dead")
    assert command("reindex", "--table", dead, *options, *more, cache=tmp_path / "here").code == 3
    elsewhere = command("verify", "--full", *options, cache=tmp_path / "elsewhere")
    assert (elsewhere.code, named_ids(report_of(elsewhere))) == (3, {"7": "rejected", "27": "rejected"})
    said = {one["_id"]: one["what"] for part in report_of(elsewhere)["slices"] for one in part["first"]}
    assert "'host 7' is not an IP string literal" in said["7"][0]


def test_dead_letters_explain_missing_documents(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, dead: str, alias: str, tmp_path: Path
) -> None:
    table, options = dead, ("--mapping", "ip.yaml")
    here = tmp_path / "here"
    assert command("reindex", "--table", table, *options, cache=here).code == 3

    for check in ("--counts", "--sample=100%", "--full"):
        ended = command("verify", check, *options, cache=here)
        assert ended.code == 3, (check, ended.out)
        assert report_of(ended)["dead_letters"] == 2
        assert difference_counts(report_of(ended)) == (0, 0, 0)
    assert named_ids(report_of(ended)) == {"7": "rejected", "27": "rejected"}
    said = {one["_id"]: one["what"] for part in report_of(ended)["slices"] for one in part["first"]}
    assert "'host 7' is not an IP string literal" in said["7"][0]
    elsewhere = command("verify", "--full", *options, cache=tmp_path / "elsewhere")
    assert (elsewhere.code, report_of(elsewhere)["missing"], report_of(elsewhere)["dead_letters"]) == (4, 2, 2)

    again = command("verify", "--full", "--repair", *options, cache=here)
    assert again.code == 3, again.out
    assert (report_of(again)["repair"]["written"], report_of(again)["repair"]["still_rejected"]) == (0, 2)
    client.delete(index=alias, id="1")
    worse = command("verify", "--full", *options, cache=here)
    assert (worse.code, difference_counts(report_of(worse)), report_of(worse)["rejected"]) == (4, (1, 0, 0), 2)
    crate_cursor.execute(f"UPDATE {table} SET address = '10.1.1.1' WHERE id IN (7, 27)")
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("verify", "--full", "--repair", *options, cache=here).code == 0
    assert command("verify", "--full", *options, cache=here).code == 0
