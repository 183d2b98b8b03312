"""The real servers that the tests run against: found or started once a session, left as they were found."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch

from indexer.errors import Refused
from indexer.local import crate_table
from indexer.local.crate_table import Cursor, quoted
from indexer.local.cratedb import HOW_TO_GET, cratedb, start_cratedb
from indexer.local.elasticsearch import elasticsearch, start_elasticsearch
from indexer.local.process import free_port
from indexer.model.identifier import TableName
from tests.certificates import can_sign
from tests.cluster import crate_home
from tests.secured import Secured, server_home, start_secured
from tests.secured_crate import SecuredCrate, secured_crate

pytest_plugins = ["tests.account"]


def pytest_configure() -> None:
    """Let programs under test hear Ctrl-C and a closed terminal, which a shell's `&` and `nohup` make them ignore."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--own-servers", action="store_true", help="start servers even where some are there already")


@pytest.fixture(scope="session")
def own_servers(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--own-servers"))


@pytest.fixture(scope="session")
def elasticsearch_url(own_servers: bool) -> Iterator[str]:  # noqa: FBT001 - a fixture is passed by name
    with tempfile.TemporaryDirectory(prefix="elasticsearch-") as folder:
        server = start_elasticsearch(Path(folder), port=free_port()) if own_servers else elasticsearch(Path(folder))
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def cratedb_url(own_servers: bool) -> Iterator[str]:  # noqa: FBT001 - as above
    with tempfile.TemporaryDirectory(prefix="cratedb-") as folder:
        server = start_cratedb(Path(folder), port=free_port()) if own_servers else cratedb(Path(folder))
        if server is None:
            pytest.skip(HOW_TO_GET)
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def secured() -> Iterator[Secured]:
    """An Elasticsearch with passwords, privileges and TLS."""
    if not can_sign():
        pytest.skip("openssl makes the certificates: install it")
    try:
        server_home()
    except Refused as refused:
        pytest.skip(str(refused))
    with tempfile.TemporaryDirectory(prefix="elasticsearch-") as folder:  # pytest's own are closed to other users
        running = start_secured(Path(folder))
        yield running
        running.server.stop()


@pytest.fixture(scope="session")
def secured_cratedb() -> Iterator[SecuredCrate]:
    """A CrateDB with passwords, privileges, client certificates, tokens and TLS."""
    home = crate_home()
    if home is None:
        pytest.skip(HOW_TO_GET)
    if not can_sign():
        pytest.skip("openssl makes the certificates: install it")
    with tempfile.TemporaryDirectory(prefix="cratedb-") as folder, secured_crate(home, Path(folder)) as running:
        yield running


@pytest.fixture
def crate_cursor(cratedb_url: str) -> Iterator[Cursor]:
    """A cursor for what a test creates and looks up itself."""
    with crate_table.crate_cursor(cratedb_url) as cursor:
        yield cursor


@pytest.fixture
def schema(crate_cursor: Cursor) -> Iterator[str]:
    """A schema of the test's own; its tables are dropped afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    yield name
    crate_cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
        (name,),
    )
    for (table,) in crate_cursor.fetchall():
        crate_cursor.execute(f"DROP TABLE {quoted(TableName(str(table), name))}")


@pytest.fixture
def alias(elasticsearch_url: str) -> Iterator[str]:
    """An index alias of the test's own; every index that bears it, or a name that begins with it, is deleted."""
    name = f"test_{uuid4().hex[:12]}"
    yield name
    with Elasticsearch(elasticsearch_url) as client:
        ours = client.indices.get(index=f"{name}*", expand_wildcards="all", ignore_unavailable=True)
        for index in ours:
            client.indices.delete(index=index)
