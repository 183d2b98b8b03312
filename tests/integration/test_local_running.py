"""`up` and `down`: what was started is found again by another program, and nothing else is stopped."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from indexer.errors import Refused
from indexer.local import cache, running
from indexer.local.distribution import distribution
from indexer.local.process import Process, wait_until
from tests.commands import run

UP = "from indexer.local.running import up; print(up(own=True).elasticsearch.process.pid)"


@pytest.fixture(scope="module")
def home() -> Path:
    """An unpacked Elasticsearch, out of the usual cache folder: it is not fetched again for these tests."""
    return distribution()


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("INDEXER_CACHE", folder)
        yield Path(folder)
        running.down()


def test_down_with_nothing_running_stops_nothing() -> None:
    assert running.down() == ()


def test_down_spares_a_stranger_who_got_the_pid(cache_folder: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        entry = {"name": "CrateDB", "url": "crate://127.0.0.1:1", "origin": "started from an unpacked distribution"}
        process = {"pid": stranger.pid, "born": "an earlier boot:1"}
        registry = {"CrateDB": {**entry, "process": process}}
        (cache_folder / cache.REGISTRY).write_text(json.dumps(registry))
        (server,) = running.down()
        assert server.process == Process(stranger.pid, "an earlier boot:1")
        assert stranger.poll() is None
        stranger.kill()
    assert running.down() == ()


def test_a_registry_of_another_version_is_refused(cache_folder: Path) -> None:
    registry = cache_folder / cache.REGISTRY
    registry.write_text('{"CrateDB": {"address": 1}}')
    with pytest.raises(Refused, match=r"running\.json.*remove it"):
        running.down()
    registry.unlink()


def test_given_servers_are_used_and_not_remembered(cache_folder: Path) -> None:
    found = running.up("crate://one:1", "http://two:2")
    assert found.cratedb is not None
    assert (found.cratedb.url, found.elasticsearch.url) == ("crate://one:1", "http://two:2")
    assert not (cache_folder / cache.REGISTRY).exists()


def test_a_cluster_is_not_started_beside_a_source_that_is_named(cache_folder: Path) -> None:
    ended = run("indexer", "up", "--source", "crate://one:1", "--crate-nodes", "3", INDEXER_CACHE=str(cache_folder))
    assert (ended.code, ended.err) == (
        2,
        "error: --source names a CrateDB and --crate-nodes starts one: give one of them.\n",
    )


@pytest.mark.elasticsearch
def test_what_up_started_outlives_it_is_found_again_and_comes_down(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("ES_HOME", str(home))
    first, second = _up(), _up()
    assert first == second
    server = psutil.Process(first)
    assert "Elasticsearch" in {stopped.name for stopped in running.down()}
    assert wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, 10)
    assert running.down() == ()


def _up() -> int:
    done = subprocess.run([sys.executable, "-c", UP], check=True, capture_output=True, text=True)
    return int(done.stdout)


def test_clean_removes_what_is_ours_alone(cache_folder: Path) -> None:
    for name in cache.CONTENTS:
        (cache_folder / name).mkdir()
    theirs = cache_folder / "notes.txt"
    theirs.write_text("not ours")
    cache.clear()
    assert list(cache_folder.iterdir()) == [theirs]
