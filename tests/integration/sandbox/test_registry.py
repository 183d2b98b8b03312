"""`up` and `down`: servers start without privileges, another program finds and stops them, and no others."""

import json
import os
import pwd
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from indexer.errors import UsageError
from indexer.process_identity import ProcessIdentity
from indexer.sandbox import cache, registry
from indexer.sandbox.download import distribution
from indexer.sandbox.process import Process, wait_until
from tests.support.commands import run
from tests.support.process_state import is_running

UP = """
from indexer.sandbox.registry import start_servers
found = start_servers(own=True)
print(*(server.process.pid for server in (found.elasticsearch, found.cratedb) if server and server.process))
"""


@pytest.fixture(scope="module")
def home() -> Path:
    """An unpacked Elasticsearch from the usual cache folder, so that these tests do not download it again."""
    return distribution()


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("INDEXER_CACHE", folder)
        yield Path(folder)
        registry.stop_servers()


def test_down_with_nothing_running_stops_nothing() -> None:
    assert registry.stop_servers() == ()


def test_down_spares_another_process_that_has_the_pid(cache_folder: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        entry = {"name": "CrateDB", "url": "crate://127.0.0.1:1", "origin": "started from an unpacked distribution"}
        identity = replace(ProcessIdentity.of(stranger.pid), place="an earlier boot")
        entries = {"CrateDB": {**entry, "process": {"identity": asdict(identity)}}}
        (cache_folder / cache.REGISTRY).write_text(json.dumps(entries))
        (server,) = registry.stop_servers()
        assert server.process == Process(identity)
        assert stranger.poll() is None
        stranger.kill()
    assert registry.stop_servers() == ()


def test_a_registry_file_of_another_version_is_refused(cache_folder: Path) -> None:
    file = cache_folder / cache.REGISTRY
    file.write_text('{"CrateDB": {"address": 1}}')
    with pytest.raises(UsageError, match=r"running\.json is from another version; .* remove it"):
        registry.stop_servers()
    file.unlink()


def test_given_servers_are_used_and_not_registered(cache_folder: Path) -> None:
    found = registry.start_servers("crate://one:1", "http://two:2")
    assert found.cratedb is not None
    assert (found.cratedb.url, found.elasticsearch.url) == ("crate://one:1", "http://two:2")
    assert not (cache_folder / cache.REGISTRY).exists()


def test_source_and_crate_nodes_are_mutually_exclusive(cache_folder: Path) -> None:
    ended = run("indexer", "up", "--source", "crate://one:1", "--crate-nodes", "3", INDEXER_CACHE=str(cache_folder))
    assert (ended.code, ended.err) == (
        2,
        "error: --source and --crate-nodes are mutually exclusive.\n",
    )


@pytest.mark.elasticsearch
def test_servers_outlive_the_program_that_started_them_and_are_found_and_stopped_by_another(
    monkeypatch: pytest.MonkeyPatch, home: Path, cache_folder: Path
) -> None:
    monkeypatch.setenv("ES_HOME", str(home))
    first = _up()
    families = [family(psutil.Process(pid)) for pid in first]
    with suspended(families, seconds=5):
        assert _up() == first, "a server that is busy for a moment is not restarted"
    for processes in families:
        assert_unprivileged_and_local(processes)
    stopped = registry.stop_servers()
    assert "Elasticsearch" in {server.name for server in stopped}
    assert sorted(server.process.pid for server in stopped if server.process) == sorted(first)
    assert wait_until(lambda: not any(is_running(process) for processes in families for process in processes), 10)
    for server in stopped:
        log = cache_folder / cache.SERVERS / server.name.lower() / "out.log"
        assert not server.process or "closed" in log.read_text(), "it was killed, not stopped"
    assert registry.stop_servers() == ()


def _up() -> list[int]:
    done = subprocess.run([sys.executable, "-c", UP], check=True, capture_output=True, text=True)
    return [int(pid) for pid in done.stdout.split()]


def family(leader: psutil.Process) -> list[psutil.Process]:
    return [leader, *leader.children(recursive=True)]


@contextmanager
def suspended(families: list[list[psutil.Process]], seconds: float) -> Iterator[None]:
    """Suspend servers for `seconds`, beginning now."""
    processes = [process for processes in families for process in processes]

    def resume() -> None:
        for process in processes:
            process.resume()

    for process in processes:
        process.suspend()
    timer = threading.Timer(seconds, resume)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def assert_unprivileged_and_local(processes: list[psutil.Process]) -> None:
    account = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    assert {process.username() for process in processes} == {account}
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_clean_removes_only_what_the_product_created(cache_folder: Path) -> None:
    for name in cache.CONTENTS:
        (cache_folder / name).mkdir()
    notes = cache_folder / "notes.txt"
    notes.write_text("a user's")
    cache.clear_cache()
    assert list(cache_folder.iterdir()) == [notes]
