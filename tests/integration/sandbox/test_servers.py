"""Local servers: found in the documented order, never mistaken for other programs; a failed start shows the reason."""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from indexer.errors import UsageError
from indexer.sandbox.cratedb import crate_launch, find_cratedb, query_node, start_cratedb
from indexer.sandbox.elasticsearch import find_elasticsearch, start_elasticsearch
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server, ServerOrigin, http_get

needs_crate = pytest.mark.cratedb
needs_elastic = pytest.mark.elasticsearch

Find = Callable[..., Server | None]
FINDERS = [
    pytest.param(find_elasticsearch, "ELASTICSEARCH_URL", id="elasticsearch"),
    pytest.param(find_cratedb, "CRATEDB_URL", id="cratedb"),
]


class Impostor(BaseHTTPRequestHandler):
    """Answers every request, and is neither CrateDB nor Elasticsearch."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "green"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def impostor() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Impostor) as server:
        Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' account can own; pytest's temporary folders are closed to it."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize(("find", "variable"), FINDERS)
def test_the_url_comes_first_and_the_environment_second(
    monkeypatch: pytest.MonkeyPatch, find: Find, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://from-the-environment:1")
    by_url, by_variable = find("http://given:1"), find()
    assert by_url is not None
    assert (by_url.url, by_url.origin) == ("http://given:1", ServerOrigin.GIVEN)
    assert by_variable is not None
    assert (by_variable.url, by_variable.origin) == ("http://from-the-environment:1", ServerOrigin.GIVEN)


@pytest.mark.parametrize(("find", "variable"), FINDERS)
def test_another_program_on_the_port_is_not_mistaken_for_the_server(
    monkeypatch: pytest.MonkeyPatch, impostor: int, find: Find, variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    assert find(port=impostor) is None
    assert find(port=free_port()) is None


@needs_elastic
def test_a_running_elasticsearch_is_found_and_never_stopped(
    monkeypatch: pytest.MonkeyPatch, elasticsearch_url: str
) -> None:
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    server = find_elasticsearch(port=urlsplit(elasticsearch_url).port or 9200)
    assert server is not None
    assert server.origin is ServerOrigin.FOUND
    server.stop()
    assert http_get(f"{elasticsearch_url}/_cluster/health", timeout=60) is not None


@needs_crate
@needs_elastic
def test_the_servers_are_not_mistaken_for_each_other(
    monkeypatch: pytest.MonkeyPatch, elasticsearch_url: str, cratedb_url: str
) -> None:
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    monkeypatch.delenv("CRATEDB_URL", raising=False)
    assert find_elasticsearch(port=urlsplit(cratedb_url).port or 4200) is None
    assert find_cratedb(port=urlsplit(elasticsearch_url).port or 9200) is None
    found = find_cratedb(port=urlsplit(cratedb_url).port or 4200)
    assert found is not None
    assert found.origin is ServerOrigin.FOUND


@needs_elastic
def test_an_elasticsearch_that_cannot_start_shows_its_log(
    monkeypatch: pytest.MonkeyPatch, folder: Path, impostor: int
) -> None:
    monkeypatch.delenv("ES_HOME", raising=False)
    with pytest.raises(UsageError, match=r"(?s)Elasticsearch exited .*ELASTICSEARCH_URL.*Address already in use"):
        start_elasticsearch(folder, version="9.2.0", port=impostor)


@needs_crate
@pytest.mark.usefixtures("cratedb_home")
def test_a_cratedb_that_cannot_start_shows_its_log(folder: Path, impostor: int) -> None:
    with pytest.raises(UsageError, match=r"(?s)CrateDB exited .*CRATEDB_URL.*Address already in use"):
        start_cratedb(folder, port=impostor)


@needs_crate
def test_a_cratedb_that_does_not_know_its_tables_yet_is_not_ready(cratedb_home: Path, folder: Path) -> None:
    launch = crate_launch(cratedb_home, folder, free_port())
    with (folder / "config" / "crate.yml").open("a") as settings:
        settings.write("gateway.expected_data_nodes: 2\ngateway.recover_after_data_nodes: 2\n")
    server = replace(launch, ready=lambda: query_node(launch.url, "SELECT count(*) FROM sys.health") == [[0]]).start()
    try:
        assert not launch.ready()
    finally:
        server.stop()


def test_homes_without_a_server_are_refused(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("ES_HOME", str(folder))
    monkeypatch.setenv("CRATEDB_HOME", str(folder))
    with pytest.raises(UsageError, match=r"ES_HOME=.* has no bin/elasticsearch"):
        start_elasticsearch(folder)
    with pytest.raises(UsageError, match=r"CRATEDB_HOME=.* has no bin/crate"):
        start_cratedb(folder)


@pytest.fixture
def cratedb_home() -> Path:
    home = Path(os.environ.get("CRATEDB_HOME") or "/opt/crate")
    if not home.is_dir():
        pytest.skip("CrateDB is not unpacked here: unpack a server into CRATEDB_HOME or /opt/crate.")
    return home
