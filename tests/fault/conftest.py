"""What the attacks share: a table to move, an Elasticsearch that may be stopped and set to refuse, and an account."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.download import VERSION
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server
from tests.support.attack import Attack, fill
from tests.support.attack_account import Account, account_of
from tests.support.quick_servers import start_quick_elasticsearch


@pytest.fixture(autouse=True)
def account(request: pytest.FixtureRequest) -> Account:
    """Every test here is a row of the table that is printed at the end; its figures are noted here."""
    return account_of(request.node)


class OwnElasticsearch:
    """A server of the tests' own: stopped and started again on the same data and port."""

    MOST_BYTES = 1024 * 1024
    """Bytes of a request body, beyond which it answers 413."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._server = self._launch()

    def _launch(self) -> Server:
        settings = {"http.max_content_length": f"{self.MOST_BYTES}b", "cluster.info.update.interval": "10s"}
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
    """The table to move."""
    return fill(shared_cursor, shared_schema)


@pytest.fixture
def attack(
    attacked: str, cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path, account: Account
) -> Attack:
    """A job without any fault so far; `replace` its source or target by a proxy."""
    return Attack(attacked, alias, tmp_path, cratedb_url, elasticsearch_url, account)
