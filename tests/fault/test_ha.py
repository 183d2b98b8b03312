"""`make ha` on a small table: one of three nodes is killed mid-job, the job completes, the cluster recovers."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb import HOW_TO_GET
from tests.support.attack_table import AttackRecord
from tests.support.commands import environment, run
from tests.support.crate_cluster import crate_home
from tests.support.process_state import is_running

pytestmark = [pytest.mark.slow, pytest.mark.cratedb, pytest.mark.elasticsearch, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
ROWS = 40_000


@pytest.fixture
def cache() -> Iterator[str]:
    if crate_home() is None:
        pytest.skip(HOW_TO_GET)
    with tempfile.TemporaryDirectory(prefix="ha-") as folder:
        yield folder
        run("indexer", "down", INDEXER_CACHE=folder)


def pids(printed: str) -> set[int]:
    return {int(pid) for pid in re.findall(r"process (\d+)", printed)}


@pytest.mark.usefixtures("cratedb_url")  # it occupies the default port, so that no other test picks up these nodes
def test_one_of_three_nodes_is_killed_mid_job_and_the_job_completes(
    cache: str, elasticsearch_url: str, alias: str, record: AttackRecord
) -> None:
    own = {"INDEXER_CACHE": cache, "ELASTICSEARCH_URL": elasticsearch_url, "INDEXER_JOBS_INDEX": f"{alias}_jobs"}
    command = [sys.executable, "-m", "bench", "ha", "--rows", str(ROWS), "--index", alias]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment(**own), capture_output=True, text=True, check=False, timeout=450
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = [
        f"$ reindex --table logs --page 10000 --index {alias}",
        "rows are done",
        "CrateDB node-2, process",
        "reindex ended with exit code 0",
        "the node is started again",
        "all is green again: 3 nodes, 4 shards with 4 replicas",
        f"$ indexer verify --index {alias} --full",
        "complete",
    ]
    places = [ended.stdout.find(line) for line in told]
    assert -1 not in places, ended.stdout
    assert places == sorted(places)
    assert "UNASSIGNED" not in ended.stderr, "a replica that is away is no shard that is away"
    with Elasticsearch(elasticsearch_url) as client:
        record.tried(rows=ROWS, lost=ROWS - client.count(index=alias)["count"])
    assert_three_nodes_run_until_down(own, killed=pids(ended.stdout))


def assert_three_nodes_run_until_down(own: dict[str, str], killed: set[int]) -> None:
    first, second = (run("indexer", "up", "--crate-nodes", "3", cwd=ROOT, timeout=200, **own) for _ in range(2))
    assert first == second, "what runs is found again"
    running = [psutil.Process(pid) for pid in pids(first.out) - killed]
    assert len(running) == 3
    more = run("indexer", "up", "--crate-nodes", "5", cwd=ROOT, timeout=60, **own)
    assert (more.code, "A CrateDB cluster of 3 nodes is running" in more.err) == (2, True)
    down = run("indexer", "down", cwd=ROOT, timeout=120, **own)
    assert down.out.count("Stopped ") == 3
    assert not any(map(is_running, running))
