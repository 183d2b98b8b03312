"""Fixtures of the servers that tests use: found or started once a session; found ones are left as they were."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, settings

from indexer.cache_folder import job_folder
from indexer.errors import UsageError
from indexer.model.table.table import TableName
from indexer.sandbox import cratedb_table as crate_table
from indexer.sandbox.cratedb import HOW_TO_GET, find_cratedb, start_cratedb
from indexer.sandbox.cratedb import PORT as CRATEDB_PORT
from indexer.sandbox.cratedb_table import Cursor, quoted_table
from indexer.sandbox.elasticsearch import PORT as ELASTICSEARCH_PORT
from indexer.sandbox.elasticsearch import find_elasticsearch, start_elasticsearch
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server
from tests.support.certificates import can_sign
from tests.support.commands import JOBS_INDEX
from tests.support.crate_cluster import crate_home
from tests.support.playground import Playground, playground_beside
from tests.support.quick_servers import start_quick_cratedb, start_quick_elasticsearch
from tests.support.secured_crate import SecuredCrate, secured_crate
from tests.support.secured_elasticsearch import SecuredElasticsearch, server_home, start_secured_elasticsearch

pytest_plugins = ["tests.support.attack_table"]


END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and a terminal that closes."""


def pytest_configure() -> None:
    """Stop the servers when a signal ends the tests, and make programs under test receive signals.

    A shell's `&` makes tests and programs ignore Ctrl-C, and `nohup` a closed terminal: a child inherits an ignored
    signal, but not a handler.

    Properties have no deadline: the time that an example takes depends on the machine's load.
    """
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")
    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number in END_SIGNALS:
        signal.signal(number, end_once)
    if nohup:
        signal.signal(signal.SIGHUP, ignore)


def end_once(number: int, frame: object) -> None:
    """End as after Ctrl-C. A second signal, for example from `make`, must not interrupt the teardown."""
    del number, frame
    for other in END_SIGNALS:
        signal.signal(other, ignore)
    raise KeyboardInterrupt


def ignore(number: int, frame: object) -> None:
    """Do nothing; unlike SIG_IGN, child processes do not inherit it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--own-servers", action="store_true", help="start servers even if some are running")


@pytest.fixture(scope="session")
def own_servers(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--own-servers"))


@pytest.fixture(scope="session")
def large(request: pytest.FixtureRequest) -> bool:
    """Whether any of the selected tests moves millions of rows."""
    return any(item.get_closest_marker("large") for item in request.session.items)


@pytest.fixture(scope="session")
def elasticsearch_server(own_servers: bool, large: bool) -> Iterator[Server]:  # noqa: FBT001 - fixtures go by name
    start = start_elasticsearch if large else start_quick_elasticsearch
    with tempfile.TemporaryDirectory(prefix="elasticsearch-") as folder:
        found = None if own_servers else find_elasticsearch()
        server = found or start(Path(folder), port=free_port(None if own_servers else ELASTICSEARCH_PORT))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def elasticsearch_url(elasticsearch_server: Server) -> str:
    return elasticsearch_server.url


@pytest.fixture(scope="session")
def cratedb_server(own_servers: bool, large: bool) -> Iterator[Server | None]:  # noqa: FBT001 - as above
    start = start_cratedb if large else start_quick_cratedb
    with tempfile.TemporaryDirectory(prefix="cratedb-") as folder:
        found = None if own_servers else find_cratedb()
        server = found or start(Path(folder), port=free_port(None if own_servers else CRATEDB_PORT))
        yield server
        if server is not None:
            server.stop()


@pytest.fixture(scope="session")
def cratedb_url(cratedb_server: Server | None) -> str:
    if cratedb_server is None:
        pytest.skip(HOW_TO_GET)
    return cratedb_server.url


@pytest.fixture(scope="session")
def playground(elasticsearch_server: Server, cratedb_server: Server | None) -> Iterator[Playground]:
    """Servers that only the tests use, for commands that use names such as `logs`, which a user may have."""
    with playground_beside(elasticsearch_server, cratedb_server) as servers:
        yield servers


@pytest.fixture(scope="session")
def secured() -> Iterator[SecuredElasticsearch]:
    """An Elasticsearch with passwords, privileges and TLS."""
    if not can_sign():
        pytest.skip("openssl is not installed, and the certificates need it")
    try:
        server_home()
    except UsageError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory(
        prefix="elasticsearch-"
    ) as folder:  # pytest's folders are closed to the server's account
        running = start_secured_elasticsearch(Path(folder))
        yield running
        running.server.stop()


@pytest.fixture(scope="session")
def secured_cratedb() -> Iterator[SecuredCrate]:
    """A CrateDB with passwords, privileges, client certificates, tokens and TLS."""
    home = crate_home()
    if home is None:
        pytest.skip(HOW_TO_GET)
    if not can_sign():
        pytest.skip("openssl is not installed, and the certificates need it")
    with tempfile.TemporaryDirectory(prefix="cratedb-") as folder, secured_crate(home, Path(folder)) as running:
        yield running


@pytest.fixture
def crate_cursor(cratedb_url: str) -> Iterator[Cursor]:
    """A cursor for the tables of one test."""
    with crate_table.crate_cursor(cratedb_url) as cursor:
        yield cursor


@pytest.fixture
def schema(crate_cursor: Cursor) -> Iterator[str]:
    """The schema of one test; its tables are dropped afterwards."""
    with own_schema(crate_cursor) as name:
        yield name


@pytest.fixture(scope="module")
def shared_cursor(cratedb_url: str) -> Iterator[Cursor]:
    """A cursor for the tables that the tests of a file share."""
    with crate_table.crate_cursor(cratedb_url) as cursor:
        yield cursor


@pytest.fixture(scope="module")
def shared_schema(shared_cursor: Cursor) -> Iterator[str]:
    """A schema for tables that the tests of a file share, because no test changes them."""
    with own_schema(shared_cursor) as name:
        yield name


@contextmanager
def own_schema(cursor: Cursor) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    yield name
    cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
        (name,),
    )
    for (table,) in cursor.fetchall():
        cursor.execute(f"DROP TABLE {quoted_table(TableName(str(table), name))}")


@pytest.fixture
def alias(elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The alias of one test; afterwards, all indexes whose names begin with it are deleted.

    So are its index of jobs, which commands use instead of `reindex-jobs` unless a test names another, and its jobs'
    folders in the cache folder.
    """
    name = f"test_{uuid4().hex[:12]}"
    monkeypatch.setenv(JOBS_INDEX, f"{name}_jobs")
    yield name
    with Elasticsearch(elasticsearch_url) as client:
        indexes = client.indices.get(index=f"{name}*", expand_wildcards="all", ignore_unavailable=True)
        for index in indexes:
            client.indices.delete(index=index)
    for folder in job_folder(name).parent.glob(f"{name}*"):
        shutil.rmtree(folder)
