"""Jobs killed at random moments and resumed: checkpoints and the lock must lose and duplicate nothing."""

import json
import os
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.process import wait_until
from tests.support.attack_table import AttackRecord
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import run, start
from tests.support.fault_proxy import Exchange, FaultProxy, pass_through
from tests.support.index_contents import documents
from tests.support.newest_job import holds_lock, newest_job, rows_read, wait_for_lock

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch, pytest.mark.large]

ROWS = 500_000
PAGE = 5_000
IN_FLIGHT = 8
"""Pages in flight: 2 being read, 4 queued, 2 being written."""

KILLS = 10
SLOWLY = ("--page", "100", "--batch-bytes", "4KiB")
"""Makes the job slow enough to be caught while it runs."""

SEED = int(os.environ.get("ATTACK_SEED") or random.randrange(10**9))
"""Seed of the kill times; the test's id shows it, so that a failure can be reproduced."""


@pytest.fixture
def table(crate_cursor: Cursor, schema: str, request: pytest.FixtureRequest) -> str:
    name = f'"{schema}".killed'
    crate_cursor.execute(
        f"CREATE TABLE {name} (uid TEXT PRIMARY KEY, ts TIMESTAMP, n BIGINT, m TEXT)"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0)"
    )
    rows = request.param
    for begin in range(0, rows, 100_000):
        crate_cursor.execute(
            f"INSERT INTO {name} SELECT 'u' || i, CASE WHEN i % 100 = 0 THEN NULL ELSE 1700000000000 + i / 3 END,"
            " i, 'message number ' || i || ' of a log that is read while its reader is killed'"
            f" FROM generate_series({begin}, {min(rows, begin + 100_000) - 1}) AS t (i)"
        )
    crate_cursor.execute(f"REFRESH TABLE {name}")
    return name


@dataclass(frozen=True)
class Killed:
    """A job to kill and resume, behind proxies that can stall it.

    Attributes:
        folder: its working directory.
        client: a direct connection for the test's own queries.
        alias: its target.
        options: its options without those of the servers.
        source: the proxy before CrateDB, which counts the rows read.
        target: the proxy before Elasticsearch.
    """

    folder: Path
    client: Elasticsearch
    alias: str
    options: tuple[str, ...]
    source: FaultProxy
    target: FaultProxy

    @property
    def command(self) -> tuple[str, ...]:
        servers = ("--source", self.source.crate, "--target", self.target.url)
        return ("reindex", *self.options, "--index", self.alias, *servers)

    def run(self) -> dict[str, Any]:
        ended = run(*self.command, cwd=self.folder, timeout=600)
        assert ended.code == 0, ended.err
        report: dict[str, Any] = json.loads(ended.out)
        return report

    def checkpoint(self) -> int:
        """Rows read, according to the last checkpoint."""
        return rows_read(self.client, self.alias)

    def is_past(self, rows: float) -> bool:
        """Whether the last checkpoint is beyond this many rows."""
        return self.checkpoint() > rows

    def stands_at(self, path: str) -> bool:
        """Whether the job has sent Elasticsearch a request for this path."""
        return any(path in one.path for one in self.target.requests)

    def kill(self, condition: Callable[[], bool], moment: float = 0.0) -> None:
        """Start the job; kill it `moment` seconds after it holds the lock and the condition is met."""
        process = start(*self.command, cwd=self.folder)
        try:
            ours = wait_until(lambda: holds_lock(self.client, self.alias, process.pid) and condition(), 180)
            time.sleep(moment)  # random: anywhere between two checkpoints
        finally:
            process.send_signal(signal.SIGKILL)
            said = process.communicate()
        assert ours, said
        assert process.returncode == -signal.SIGKILL, (said, "it ended before it was killed: make it longer")


class RowsRead:
    """Counts the rows of every page that CrateDB returns, including pages that a killed job never used.

    Attributes:
        rows: rows since `taken` was last called.
        enough: beyond this many rows pages are held back until `dead` is set, so that the job cannot finish first.
        dead: set once the job has been killed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rows = 0
        self.enough = sys.maxsize
        self.dead = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        answer = exchange.forward()
        if b" LIMIT " in exchange.request.body:
            found = re.search(rb'"rowcount":(\d+)', answer.body[-200:])
            assert found, answer.body[-200:]
            with self._lock:
                self.rows += int(found[1])
                enough, dead = self.rows > self.enough, self.dead
            if enough and dead.wait(240):
                exchange.cut()
                return
        exchange.reply(answer)

    def taken(self) -> int:
        """Rows since the last call; resets the count."""
        with self._lock:
            rows, self.rows = self.rows, 0
        return rows


@pytest.fixture
def killed(cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path) -> Iterator[Killed]:
    jobs = f"{alias}_jobs"
    options = ("--table", table, "--page", str(PAGE), "--batch-bytes", "100KiB", "--json", "--quiet")
    with (
        FaultProxy(cratedb_url, pattern="/_sql") as source,
        FaultProxy(elasticsearch_url, pattern=r"/_refresh|POST /_aliases") as target,
        Elasticsearch(elasticsearch_url) as client,
    ):
        yield Killed(tmp_path, client, alias, (*options, "--jobs-index", jobs), source, target)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("table", [ROWS], indirect=True)
@pytest.mark.parametrize("seed", [SEED], ids=[f"ATTACK_SEED={SEED}"])
def test_ten_kills_during_the_load_lose_and_duplicate_nothing(
    killed: Killed, record: AttackRecord, record_property: Callable[[str, object], None], seed: int
) -> None:
    dice = random.Random(seed)
    killed.source.default = rows = RowsRead()
    calm = replace(killed, alias=f"{killed.alias}_calm")
    calm.run()
    once = rows.taken()
    taken = []
    for kill in range(KILLS):
        share = dice.uniform(kill, kill + 1) / (KILLS + 2)
        # Kill after the checkpoint that the job resumed from: either at once, while rows that a checkpoint ahead of the
        # data would count are still in flight, or anywhere before the next checkpoint.
        before = killed.checkpoint()
        past = max(before, share * ROWS)
        rows.enough, rows.dead = int(past) - before + IN_FLIGHT // 2 * PAGE, threading.Event()
        killed.kill(partial(killed.is_past, past), dice.choice((0.0, dice.uniform(0.0, 1.0))))
        rows.dead.set()
        taken.append(rows.taken())
    rows.enough = sys.maxsize
    report = killed.run()
    taken.append(rows.taken())
    assert report["resumed"]
    expected, found = (documents(killed.client, one.alias) for one in (calm, killed))
    record.tried(KILLS, rows=len(expected), lost=len(expected.keys() - found.keys()))
    assert found == expected
    assert report["rows_read"] == report["rows_indexed"] == len(expected) == ROWS
    assert report["rows_caught_up"] == 0, "the load left rows out, which only the verification found"
    twice = sum(taken) - once
    record_property("rows read twice a kill", twice / KILLS)
    assert twice <= KILLS * IN_FLIGHT * PAGE, taken


@pytest.mark.parametrize("table", [30_000], indirect=True)
def test_kills_between_load_and_alias_switch_lose_nothing_and_reread_nothing(
    killed: Killed, record: AttackRecord
) -> None:
    """Killed once during the refresh before verification, and once between verification and the alias switch."""
    killed.source.default = rows = RowsRead()
    for on in ("/_refresh", "/_aliases"):
        gone = threading.Event()

        def stands_still(exchange: Exchange, on: str = on, gone: threading.Event = gone) -> None:
            if on not in exchange.request.path:
                pass_through(exchange)
                return
            gone.wait(120)
            exchange.cut()  # its sender is dead: the server must not see it

        killed.target.requests.clear()
        killed.target.default = stands_still
        killed.kill(partial(killed.stands_at, on))
        gone.set()
        assert not killed.client.indices.exists_alias(name=killed.alias)
    assert killed.checkpoint() == 30_000
    once = rows.taken()
    killed.target.default = pass_through
    report = killed.run()
    assert report["resumed"]
    assert report["rows_read"] == report["rows_indexed"] == 30_000
    assert once >= 30_000
    assert rows.taken() == 0
    found = documents(killed.client, killed.alias)
    assert {document["n"] for document in found.values()} == set(range(30_000))
    record.tried(2, rows=30_000, lost=30_000 - len(found))


@pytest.mark.parametrize("table", [pytest.param(30_000, id="30k")], indirect=True)
def test_a_second_job_is_refused_and_names_the_lock_holder(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path
) -> None:
    jobs = f"{alias}_jobs"
    options = (
        "--source", cratedb_url, "--target", elasticsearch_url, "--table", table, "--index", alias,
        "--jobs-index", jobs,
    )  # fmt: skip
    with Elasticsearch(elasticsearch_url) as client, stalled_bulk(elasticsearch_url) as (proxy, _):
        first = start("reindex", *options, "--target", proxy.url, "--quiet", cwd=tmp_path)
        wait_for_lock(client, alias, first.pid)
        second = run("reindex", *options, cwd=tmp_path)
        assert second.code == 2
        assert f"process {first.pid} on {os.uname().nodename}" in second.err
        assert "last heartbeat" in second.err
        first.send_signal(signal.SIGTERM)
        _, err = first.communicate(timeout=60)
    assert first.returncode == 143, err
    assert "terminated" in err.lower()
    third = run("reindex", *options, "--json", cwd=tmp_path)
    assert third.code == 0, third.err
    assert json.loads(third.out)["resumed"]


@pytest.mark.parametrize("table", [pytest.param(30_000, id="30k")], indirect=True)
@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (["--where", "n < 5"], "--where changed (none -> n < 5)"),
        (["--key", "uid"], "--key changed (ts, uid -> uid)"),
        (["--mapping", "other.yaml"], "the mapping changed (m: text -> keyword)"),
        ("ALTER TABLE {} ADD COLUMN added INTEGER", "m TEXT, added INTEGER)"),
    ],
    ids=["where", "key", "mapping", "table"],
)
def test_a_resume_with_changed_options_or_table_is_refused_and_fresh_starts_over(
    cratedb_url: str,
    elasticsearch_url: str,
    crate_cursor: Cursor,
    table: str,
    alias: str,
    tmp_path: Path,
    change: list[str] | str,
    differs: str,
) -> None:
    (tmp_path / "other.yaml").write_text("fields: {m: keyword}")
    jobs = f"{alias}_jobs"
    options = (
        "--source", cratedb_url, "--target", elasticsearch_url, "--table", table, "--index", alias,
        "--jobs-index", jobs,
    )  # fmt: skip
    with Elasticsearch(elasticsearch_url) as client:
        process = start("reindex", *options, *SLOWLY, "--quiet", cwd=tmp_path)
        wait_for_lock(client, alias, process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before = newest_job(client, alias)
        unfinished = str(before["job"])
        if isinstance(change, str):
            crate_cursor.execute(change.format(table))
            change = []
        refused = run("reindex", *options, *change, cwd=tmp_path)
        assert refused.code == 2
        assert unfinished in refused.err
        assert differs in refused.err
        assert client.indices.exists(index=unfinished)
        assert newest_job(client, alias) == before
        fresh = run("reindex", *options, *change, "--fresh", "--json", cwd=tmp_path)
        assert fresh.code == 0, fresh.err
        assert json.loads(fresh.out)["rows_indexed"] == (5 if "--where" in change else 30_000)
        assert not client.indices.exists(index=unfinished)
