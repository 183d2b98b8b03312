"""Failures of a real CrateDB and of the network, and the errors they become."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import orjson
import pytest
from pydantic import SecretStr

from indexer.access import SourceAccess
from indexer.errors import SourceError, SourceUnavailable, UsageError
from indexer.model.paging.window import Keyset, PageRequest, Range
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor, quoted_table
from indexer.source.cratedb import CrateReader, CrateSource
from indexer.source.protocol import Bounds
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, cut_after, cut_before, cut_midway, hold_until, refuse

pytestmark = pytest.mark.cratedb

EVERYTHING = PageRequest(Range(0, 1000), 1000)


@pytest.fixture(scope="module")
def table(shared_cursor: Cursor, shared_schema: str) -> TableName:
    return filled(shared_cursor, shared_schema)


def filled(cursor: Cursor, schema: str) -> TableName:
    cursor.execute(f'CREATE TABLE "{schema}".t (id BIGINT PRIMARY KEY, message TEXT)')
    cursor.execute(f"INSERT INTO \"{schema}\".t SELECT i, 'm' || i FROM generate_series(1, 100) AS t (i)")
    return TableName("t", schema)


@pytest.fixture
def proxy(cratedb_url: str) -> Iterator[FaultProxy]:
    with FaultProxy(cratedb_url, pattern="/_sql") as proxy:
        yield proxy


def selection_of(source: CrateSource, table: TableName, where: str | None = None) -> Selection:
    described = source.describe(table)
    return select(described, choose_key(described), where=where)


@pytest.fixture
def reader(proxy: FaultProxy, table: TableName) -> Iterator[CrateReader]:
    """A reader connected through the proxy, which has passed everything so far."""
    source = CrateSource(SourceAccess(url=proxy.url))
    reader = source.reader(selection_of(source, table))
    proxy.requests.clear()
    yield reader
    reader.close()
    source.close()


@pytest.mark.parametrize("fault", [cut_before, cut_after, cut_midway])
def test_a_cut_connection_is_retried_once(proxy: FaultProxy, reader: CrateReader, fault: Fault) -> None:
    proxy.script(fault)
    assert len(reader.page(EVERYTHING).rows) == 100
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("fault", [cut_before, cut_after, cut_midway])
def test_a_connection_that_is_always_cut_raises_source_unavailable(
    proxy: FaultProxy, reader: CrateReader, fault: Fault
) -> None:
    proxy.default = fault
    with pytest.raises(SourceUnavailable, match=proxy.url):
        reader.page(EVERYTHING)
    assert len(proxy.requests) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refuse(503), SourceUnavailable),
        (refuse(429), SourceUnavailable),
        (refuse(502, b"<html>Bad Gateway</html>", "text/html"), SourceUnavailable),
        (refuse(404, b"<html>Not Found</html>", "text/html"), SourceError),
        (refuse(200, b'{"rows": [[1,', "application/json"), SourceUnavailable),
    ],
)
def test_a_proxys_error_response_becomes_a_source_error(
    proxy: FaultProxy, reader: CrateReader, fault: Fault, error: type[SourceError]
) -> None:
    proxy.default = fault
    with pytest.raises(SourceError) as raised:
        reader.page(EVERYTHING)
    assert type(raised.value) is error
    assert len(str(raised.value)) < 500


def test_a_timeout_raises_source_unavailable(proxy: FaultProxy, table: TableName) -> None:
    with closing(CrateSource(SourceAccess(url=proxy.url))) as patient:
        selection = selection_of(patient, table)
    source = CrateSource(SourceAccess(url=proxy.url, timeout=5.0))
    reader = source.reader(selection)
    done = threading.Event()
    proxy.script(hold_until(done))
    try:
        with pytest.raises(SourceUnavailable, match="--source-timeout"):
            reader.page(EVERYTHING)
    finally:
        done.set()
    assert len(reader.page(EVERYTHING).rows) == 100
    reader.close()
    source.close()


def test_a_table_unknown_to_a_starting_node_counts_as_absent(
    proxy: FaultProxy, crate_cursor: Cursor, schema: str
) -> None:
    """A starting node answers before it knows its tables, and then lists no absent shards."""
    source = CrateSource(SourceAccess(url=proxy.url))
    table = source.describe(filled(crate_cursor, schema))
    crate_cursor.execute(f"DROP TABLE {quoted_table(table.name)}")

    def becomes_known(exchange: Exchange) -> None:
        answer = exchange.forward()
        filled(crate_cursor, schema)
        exchange.reply(answer)

    proxy.script(becomes_known)
    assert source.unavailable_shards(table) == ("the server does not know the table yet",)
    assert source.unavailable_shards(table) == ()
    source.close()


def test_another_server_takes_over_when_one_is_lost(proxy: FaultProxy, cratedb_url: str, table: TableName) -> None:
    source = CrateSource(SourceAccess(url=f"{proxy.url},{cratedb_url}"))
    reader = source.reader(selection_of(source, table))
    proxy.default = cut_before
    assert [len(reader.page(EVERYTHING).rows) for _ in range(4)] == [100] * 4
    reader.close()
    source.close()


def test_a_server_unavailable_from_the_start_is_skipped(cratedb_url: str, table: TableName) -> None:
    source = CrateSource(SourceAccess(url=f"crate://localhost:1,{cratedb_url}"))
    assert source.describe(table).rows == 100
    source.close()


@pytest.fixture
def resetting() -> Iterator[int]:
    """The port of a server that resets every connection after it has read the request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_reset_all, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _reset_all(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:  # the test is over
            return
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


@pytest.mark.timeout(30)
def test_a_server_that_resets_every_connection_is_given_up(resetting: int) -> None:
    source = CrateSource(SourceAccess(url=f"crate://localhost:{resetting}"))
    with pytest.raises(UsageError, match=r"localhost:\d+ is unavailable \(Connection reset by peer\)"):
        source.describe(TableName("t"))


@pytest.mark.timeout(30)
def test_an_unreachable_server_is_refused_without_its_password() -> None:
    source = CrateSource(SourceAccess(url="crate://me:s3cret@localhost:1"))
    with pytest.raises(UsageError, match=r"localhost:1 is unavailable \(.*refused\); check that it runs") as raised:
        source.describe(TableName("t"))
    assert "s3cret" not in str(raised.value)


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no-such-host\.invalid:4200 is unavailable"):
        CrateSource(SourceAccess(url="crate://no-such-host.invalid")).describe(TableName("t"))


def test_tls_to_a_plain_server_is_refused(cratedb_url: str) -> None:
    secure = cratedb_url.replace("crate://", "https://")
    with pytest.raises(UsageError, match=r"TLS|--source-ca"):
        CrateSource(SourceAccess(url=secure)).describe(TableName("t"))


def test_a_server_that_is_not_cratedb_is_refused(cratedb_url: str) -> None:
    with FaultProxy(cratedb_url) as proxy:
        proxy.default = refuse(200, b"<html>It works!</html>", "text/html")
        with pytest.raises(UsageError, match="is not CrateDB; check the host"):
            CrateSource(SourceAccess(url=proxy.url)).describe(TableName("t"))


@pytest.fixture
def user(crate_cursor: Cursor) -> Iterator[str]:
    """A user with the password `right` and no privilege."""
    name = f"user_{uuid4().hex[:8]}"
    crate_cursor.execute(f"CREATE USER {name} WITH (password = 'right')")
    yield name
    crate_cursor.execute(f"DROP USER {name}")


def as_user(url: str, user: str, password: str) -> CrateSource:
    return CrateSource(SourceAccess(url=url, user=user, password=SecretStr(password)))


def test_a_wrong_password_is_refused(cratedb_url: str, user: str, table: TableName) -> None:
    with pytest.raises(UsageError, match=r"password authentication failed .*--source-password") as raised:
        as_user(cratedb_url, user, "wr0ng").describe(table)
    assert "wr0ng" not in str(raised.value)


def test_a_missing_privilege_is_refused(cratedb_url: str, crate_cursor: Cursor, user: str, table: TableName) -> None:
    with pytest.raises(UsageError, match=f"There is no table {table} that the user {user} may read"):
        as_user(cratedb_url, user, "right").describe(table)
    crate_cursor.execute(f"GRANT DML ON TABLE {table} TO {user}")
    with pytest.raises(UsageError, match="GRANT DQL ON TABLE"):
        as_user(cratedb_url, user, "right").describe(table)
    crate_cursor.execute(f"GRANT DQL ON TABLE {table} TO {user}")
    with_password = cratedb_url.replace("crate://", f"crate://{user}:right@")
    assert CrateSource(SourceAccess(url=with_password)).describe(table).rows == 100


@pytest.mark.parametrize(
    "condition",
    [
        "id >",
        "nope = 1",
        "",
        "id",
        "1 = 1) OR (1 = 1",
        "id = 1) UNION ALL SELECT * FROM sys.nodes WHERE (1 = 1",
        "id = 1 ORDER BY id",
        "id = 1 LIMIT 5",
        "id = 1; DROP TABLE x",
        "id = 1 /*",
        "message = 'open",
        "id = ?",
        "id = $1",
        "CAST(message AS INTEGER) = 1",
    ],
)
def test_an_invalid_where_condition_is_refused(cratedb_url: str, table: TableName, condition: str) -> None:
    source = CrateSource(SourceAccess(url=cratedb_url))
    with pytest.raises(UsageError, match="--where"):
        source.bounds(selection_of(source, table, condition))
    source.close()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("id <= 10 OR id > 95", [*range(1, 11), *range(96, 101)]),
        ("id % 25 = 0", [25, 50, 75, 100]),
        ("message LIKE 'm9%' AND id > 90", list(range(91, 100))),
        ("message LIKE '%(lo)s' OR id = 3", [3]),
        ("id = 7 -- and what follows", [7]),
        ("id::TEXT = '8' /* (((( */", [8]),
        ("message = ':x' OR message = ')' OR id = 5", [5]),
        ("id IN (SELECT unnest([1, 2]))", [1, 2]),
    ],
)
def test_the_where_condition_applies_to_every_query(
    cratedb_url: str, table: TableName, condition: str, expected: list[int]
) -> None:
    source = CrateSource(SourceAccess(url=cratedb_url))
    selection = selection_of(source, table, condition)
    assert source.bounds(selection) == Bounds(len(expected), 0, expected[0], expected[-1])
    assert sum(bar.rows for bar in source.bins(selection, 10)) == len(expected)
    reader = source.reader(selection)
    assert {row[0] for row in reader.page(EVERYTHING).rows} == set(expected)
    assert [row[0] for row in reader.page(PageRequest(Keyset((0,)), 1000)).rows] == expected
    reader.close()
    source.close()


def test_a_table_dropped_while_it_is_read_raises_error_4041(
    cratedb_url: str, crate_cursor: Cursor, schema: str
) -> None:
    table = filled(crate_cursor, schema)
    source = CrateSource(SourceAccess(url=cratedb_url))
    reader = source.reader(selection_of(source, table))
    crate_cursor.execute(f"CREATE TABLE {table.schema}.another (id BIGINT)")
    crate_cursor.execute(f"DROP TABLE {table}")
    with pytest.raises(SourceError, match="4041") as raised:
        reader.page(EVERYTHING)
    assert raised.value.code == 4041
    assert not raised.value.retryable
    reader.close()
    source.close()


def test_a_page_knows_the_size_of_its_response(cratedb_url: str, table: TableName) -> None:
    source = CrateSource(SourceAccess(url=cratedb_url))
    reader = source.reader(selection_of(source, table))
    whole, half_of_it = reader.page(EVERYTHING), reader.page(PageRequest(Range(0, 50), 1000))
    rows = len(orjson.dumps(whole.rows))
    assert rows < whole.size < rows + 200
    assert half_of_it.size < whole.size
    reader.close()
    source.close()
