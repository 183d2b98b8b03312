"""Fixtures of the attacks: a table to move, an Elasticsearch that a test may stop, a row in the table of attacks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.download import VERSION
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server
from tests.support.attack import Attack, create_attacked_table
from tests.support.attack_table import AttackRecord, record_of
from tests.support.quick_servers import start_quick_elasticsearch


@pytest.fixture(autouse=True)
def record(request: pytest.FixtureRequest) -> AttackRecord:
    """The test's row in the table of attacks, which is printed at the end."""
    return record_of(request.node)


class OwnElasticsearch:
    """A server that a test can stop, and start again with the same data and port."""

    MAX_CONTENT = 1024 * 1024
    """Maximum bytes of a request body; it answers 413 to larger ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._server = self._launch()

    def _launch(self) -> Server:
        settings = {"http.max_content_length": f"{self.MAX_CONTENT}b", "cluster.info.update.interval": "10s"}
        return start_quick_elasticsearch(self._folder, version=VERSION, port=self._port, settings=settings)

    @property
    def url(self) -> str:
        return self._server.url

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server = self._launch()


@pytest.fixture(scope="session")
def own_elasticsearch() -> Iterator[OwnElasticsearch]:
    with tempfile.TemporaryDirectory(prefix="elasticsearch-") as folder:
        server = OwnElasticsearch(Path(folder))
        yield server
        server.stop()


@pytest.fixture(scope="module")
def attacked(shared_cursor: Cursor, shared_schema: str) -> str:
    """The table that the jobs read."""
    return create_attacked_table(shared_cursor, shared_schema)


@pytest.fixture
def attack(
    attacked: str, cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path, record: AttackRecord
) -> Attack:
    """A job without faults; to add some, `replace` its source or target with a proxy."""
    return Attack(attacked, alias, tmp_path, cratedb_url, elasticsearch_url, record)
