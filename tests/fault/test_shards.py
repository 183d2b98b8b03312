"""One of three CrateDB nodes dies mid-job: rows on unavailable shards never count as absent."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb import HOW_TO_GET
from indexer.sandbox.process import wait_until
from tests.support.attack_table import AttackRecord
from tests.support.commands import Ended, run, start
from tests.support.crate_cluster import Cluster, crate_cluster, crate_home
from tests.support.documentation import loader_grants
from tests.support.index_contents import documents
from tests.support.newest_job import newest_job, rows_done, rows_read
from tests.support.secured_crate import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.cratedb, pytest.mark.elasticsearch, pytest.mark.timeout(1800)]

ROWS = 20_000
DAYS = 3
PAGE = 20
"""Rows a page: few enough for a thousand pages that could lose rows."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    home = crate_home()
    if home is None:
        pytest.skip(HOW_TO_GET)
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        Path(folder).chmod(0o755)  # the nodes run as another user
        with crate_cluster(home, Path(folder)) as cluster:
            with cluster.cursor() as cursor:
                cursor.execute(loader_grants()[0])
            yield cluster


@dataclass(frozen=True)
class Job:
    """`reindex` with fixed options, run as a user with exactly the privileges that the documentation lists."""

    alias: str
    options: Sequence[str]
    folder: Path
    client: Elasticsearch

    def run(self, *more: str, command: str = "reindex") -> Ended:
        words = ("indexer", command, *self.options, *more)
        return run(*words, cwd=self.folder, timeout=900, INDEXER_SOURCE_PASSWORD=PASSWORD)

    def run_and_kill(self, cluster: Cluster, victim: int, *more: str, command: str = "reindex") -> Ended:
        """Kill a node once some of the rows are indexed, or a repair has begun."""
        words = ("indexer", command, *self.options, *more)
        process = start(*words, cwd=self.folder, INDEXER_SOURCE_PASSWORD=PASSWORD)
        try:
            self._wait_until_it_reads(process.pid)
            cluster.nodes[victim].kill()
            out, err = process.communicate(timeout=900)
        finally:
            process.kill()
            process.wait()
        return Ended(process.returncode, out, err)

    def _wait_until_it_reads(self, pid: int) -> None:
        assert wait_until(lambda: self._is_busy(pid), 180), newest_job(self.client, self.alias)

    def _is_busy(self, pid: int) -> bool:
        job = newest_job(self.client, self.alias)
        repairs = bool(job) and job["holder"]["pid"] == pid and job["status"] == "repairing"
        return repairs or 0 < rows_done(self.client, self.alias, pid) < ROWS // 2

    def served(self) -> list[str]:
        """The indexes behind the alias."""
        return sorted(self.client.options(ignore_status=404).indices.get_alias(name=self.alias).body)


@pytest.fixture
def job(cluster: Cluster, elasticsearch_url: str, alias: str, tmp_path: Path) -> Iterator[Job]:
    options = (
        "--source", cluster.url, "--source-user", "loader", "--target", elasticsearch_url,
        "--table", "logs", "--index", alias, "--jobs-index", f"{alias}_jobs", "--page", str(PAGE),
        "--patience", "15", "--json", "--quiet",
    )  # fmt: skip
    with Elasticsearch(elasticsearch_url) as client:
        yield Job(alias, options, tmp_path, client)


@pytest.fixture
def table(cluster: Cluster, request: pytest.FixtureRequest) -> None:
    """Rows in three partitions of three shards, spread over all nodes; dead nodes are restarted first."""
    for node in cluster.nodes:
        if node.process is None:
            node.start()
    cluster.wait_for_shards()
    with cluster.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS logs")
        cursor.execute(
            "CREATE TABLE logs (id BIGINT, day INTEGER, m TEXT, PRIMARY KEY (id, day))"
            f" CLUSTERED INTO 3 SHARDS PARTITIONED BY (day) WITH (number_of_replicas = {request.param})"
        )
        cursor.execute(
            f"INSERT INTO logs SELECT i, i % {DAYS}, 'message number ' || i FROM generate_series(1, {ROWS}) AS t (i)"
        )
        cursor.execute("REFRESH TABLE logs")
        for grant in loader_grants()[1:]:
            cursor.execute(grant)
    cluster.wait_for_shards()


def assert_complete(job: Job, ended: Ended, record: AttackRecord) -> None:
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["rows_read"] == report["rows_indexed"] == ROWS
    found = documents(job.client, job.alias)
    there = {(document["id"], document["day"]) for document in found.values()}
    expected = {(number, number % DAYS) for number in range(1, ROWS + 1)}
    record.tried(rows=ROWS, lost=len(expected - there))
    assert there == expected
    assert len(found) == ROWS
    assert job.served() == [report["job"]]


@pytest.mark.parametrize("table", [0], indirect=True, ids=["no replica"])
@pytest.mark.usefixtures("table")
def test_losing_a_node_without_replicas_fails_the_job_and_a_resume_completes_it(
    cluster: Cluster, job: Job, record: AttackRecord
) -> None:
    before = job.run("--where", "id <= 10")
    assert before.code == 0, before.err
    old = job.served()
    ended = job.run_and_kill(cluster, victim=2)
    cluster.wait_for(f"SELECT count(*) < {ROWS} FROM logs", [[True]])  # CrateDB reports no error
    assert ended.code == 1, ended.err
    assert "cannot be read whole: shard " in ended.err
    assert "'day'" in ended.err
    assert "UNASSIGNED" in ended.err
    assert "job" not in ended.out
    assert job.served() == old
    checkpoint = rows_read(job.client, job.alias)
    assert 0 < checkpoint < ROWS
    again = job.run()
    assert again.code == 2, "a plan made of a part of the rows would lose the others for good"
    assert "cannot be read whole: shard " in again.err
    assert job.served() == old
    cluster.nodes[2].start()
    cluster.wait_for_shards()
    resumed = job.run()
    assert_complete(job, resumed, record)
    assert json.loads(resumed.out)["resumed"]


@pytest.mark.parametrize("table", [1], indirect=True, ids=["one replica"])
@pytest.mark.usefixtures("table")
def test_a_job_survives_losing_a_node_when_shards_have_a_replica(
    cluster: Cluster, job: Job, record: AttackRecord
) -> None:
    ended = job.run_and_kill(cluster, 1, "--patience", "90")  # a dead master delays this by an election
    assert_complete(job, ended, record)


@pytest.mark.parametrize("table", [0], indirect=True, ids=["no replica"])
@pytest.mark.usefixtures("table")
def test_a_repair_deletes_nothing_while_shards_are_unavailable(
    cluster: Cluster, job: Job, record: AttackRecord
) -> None:
    made = job.run("--page", "10000")
    assert made.code == 0, made.err
    before = documents(job.client, job.alias).keys()
    repair = ("--full", "--repair", "--max-deletes", "100%")
    ended = job.run_and_kill(cluster, 2, *repair, command="verify")
    assert ended.code == 1, (ended.out, ended.err)
    cluster.wait_for(f"SELECT count(*) < {ROWS} FROM logs", [[True]])
    again = job.run(*repair, command="verify")
    assert again.code == 1, (again.out, again.err)
    assert "cannot be read whole: shard " in again.err
    assert "UNASSIGNED" in again.err
    after = documents(job.client, job.alias).keys()
    record.tried(2, rows=ROWS, lost=len(before - after))
    assert len(after) == ROWS
