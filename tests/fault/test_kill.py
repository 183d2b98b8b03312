"""Killed at any moment, resumed, and nothing is lost or doubled: the attack on checkpoints and on the lock."""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.local.crate_table import Cursor
from tests.account import Account
from tests.commands import run, start
from tests.scan import documents, versions

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

PAGE = 2_000
KILLS = 10


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


def lock_of(client: Elasticsearch, alias: str, jobs: str) -> dict[str, object]:
    found = client.options(ignore_status=(404, 503)).get(index=jobs, id=f"alias:{alias}")  # made a moment ago, or not
    lock: dict[str, object] = found.body.get("_source", {})
    return lock


def wait_until_it_runs(client: Elasticsearch, alias: str, jobs: str, pid: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lock = lock_of(client, alias, jobs)
        if lock and lock["holder"]["pid"] == pid:  # type: ignore[index]
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} never took the lock of {alias}")


@pytest.mark.parametrize(
    "table", [pytest.param(60_000, id="60k"), pytest.param(500_000, id="500k", marks=pytest.mark.slow)], indirect=True
)
def test_ten_kills_lose_nothing_and_double_nothing(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path, account: Account
) -> None:
    jobs = f"{alias}_jobs"
    options = (
        "--source", cratedb_url, "--target", elasticsearch_url, "--table", table, "--jobs-index", jobs,
        "--page", str(PAGE), "--batch-bytes", "100KiB", "--json", "--quiet",
    )  # fmt: skip
    undisturbed = run("reindex", *options, "--index", f"{alias}_calm", cwd=tmp_path)
    assert undisturbed.code == 0, undisturbed.err
    dice = random.Random(alias)
    kills = 0
    with Elasticsearch(elasticsearch_url) as client:
        while kills < KILLS:
            process = start("reindex", *options, "--index", f"{alias}_killed", cwd=tmp_path)
            wait_until_it_runs(client, f"{alias}_killed", jobs, process.pid)
            time.sleep(dice.uniform(0.0, 0.5))  # the moment is what is random here
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if process.returncode != -signal.SIGKILL:
                break
            kills += 1
        ended = run("reindex", *options, "--index", f"{alias}_killed", cwd=tmp_path)
        assert ended.code == 0, ended.err
        report = json.loads(ended.out)
        assert report["resumed"]
        calm, killed = documents(client, f"{alias}_calm"), documents(client, f"{alias}_killed")
        account.tried(kills, rows=len(calm), lost=len(calm.keys() - killed.keys()))
        assert killed == calm
        assert report["rows_read"] == report["rows_indexed"] == len(calm)
        twice = versions(client, f"{alias}_killed") - len(calm)
    assert kills == KILLS, "the job ended before it was killed ten times: make it longer"
    # In flight: a page a reader, what waits for and is in the writers, and what was acknowledged since the last beat.
    assert twice <= kills * 20 * PAGE


@pytest.mark.parametrize("table", [pytest.param(30_000, id="30k")], indirect=True)
def test_a_second_job_is_refused_and_says_who_holds_the_lock(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path
) -> None:
    jobs = f"{alias}_jobs"
    options = (
        "--source", cratedb_url, "--target", elasticsearch_url, "--table", table, "--index", alias,
        "--jobs-index", jobs, "--page", "100", "--batch-bytes", "4KiB",
    )  # fmt: skip
    first = start("reindex", *options, "--quiet", cwd=tmp_path)
    with Elasticsearch(elasticsearch_url) as client:
        wait_until_it_runs(client, alias, jobs, first.pid)
    second = run("reindex", *options, cwd=tmp_path)
    assert second.code == 2
    assert f"process {first.pid} on {os.uname().nodename}" in second.err
    assert "last heartbeat" in second.err
    first.send_signal(signal.SIGTERM)
    _, err = first.communicate(timeout=30)
    assert first.returncode == 143, err
    assert "terminated" in err.lower()
    third = run("reindex", *options, "--json", cwd=tmp_path)
    assert third.code == 0, third.err
    assert json.loads(third.out)["resumed"]


@pytest.mark.parametrize("table", [pytest.param(30_000, id="30k")], indirect=True)
def test_a_resume_refuses_what_changed_and_fresh_starts_anew(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path
) -> None:
    jobs = f"{alias}_jobs"
    options = (
        "--source", cratedb_url, "--target", elasticsearch_url, "--table", table, "--index", alias,
        "--jobs-index", jobs, "--page", "100", "--batch-bytes", "4KiB",
    )  # fmt: skip
    with Elasticsearch(elasticsearch_url) as client:
        process = start("reindex", *options, "--quiet", cwd=tmp_path)
        wait_until_it_runs(client, alias, jobs, process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        unfinished = str(lock_of(client, alias, jobs)["job"])
        refused = run("reindex", *options, "--where", "n < 5", cwd=tmp_path)
        assert refused.code == 2
        assert unfinished in refused.err
        assert "--where was '' and is 'n < 5'" in refused.err
        assert client.indices.exists(index=unfinished)
        fresh = run("reindex", *options, "--where", "n < 5", "--fresh", "--json", cwd=tmp_path)
        assert fresh.code == 0, fresh.err
        assert json.loads(fresh.out)["rows_indexed"] == 5
        assert not client.indices.exists(index=unfinished)
