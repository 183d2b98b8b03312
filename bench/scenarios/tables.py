"""The tables that are measured, each made unless it is there: sample logs, narrow rows for pages, rows of any width."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from bench.meter.servers import sql_cursor
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.sample_logs import MEAN_GAP, ROWS
from indexer.sandbox.sample_table import load_cratedb_sample

__all__ = ["LOGS", "NARROW_COLUMNS", "SCHEMA", "SPAN", "TIES", "WIDE_COLUMNS", "make_logs", "make_narrow", "make_wide"]

SCHEMA: Final = "bench"
"""Where the tables are kept for the next run."""

LOGS: Final = TableName("bench_logs", SCHEMA)
NARROW_COLUMNS: Final = ("id", "ts", "rnd", "uid", "level", "host", "amount")
WIDE_COLUMNS: Final = ("id", "payload")

TIES: Final = 50
"""Narrow rows of one timestamp."""

SPAN: Final = 1 << 53
"""The random numbers of narrow rows are below this."""

_END: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""Where the times of generated logs end: the table is the same whenever it is made."""

_COPY_LOGS: Final = """
INSERT INTO {table} (
    id, ts, level, service, host, ip, status, latency_ms, message, trace_id, attrs, tags, location
) (
    SELECT id + ?, (ts::BIGINT + ?)::TIMESTAMP WITH TIME ZONE, level, service, host, ip, status, latency_ms, message,
           substr(trace_id, 1, 32) || lpad(?::TEXT, 4, '0'), attrs, tags, location
    FROM {table} WHERE id <= ?
)"""
"""The generated rows once more, later, with ids and trace ids of their own: much faster than generating more."""

_CREATE_NARROW: Final = """
CREATE TABLE {table} (
    id BIGINT PRIMARY KEY, ts TIMESTAMP WITH TIME ZONE, rnd BIGINT, uid TEXT, level TEXT, host TEXT,
    amount DOUBLE PRECISION
) CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0, refresh_interval = 0)"""

_FILL_NARROW: Final = f"""
INSERT INTO {{table}} (id, ts, rnd, uid, level, host, amount) (
    SELECT n, 1700000000000 + n / {TIES} * 1000, (random() * {SPAN})::BIGINT, md5(n::TEXT),
           CASE WHEN n % 20 = 0 THEN 'ERROR' ELSE 'INFO' END, 'host-' || (n % 50), n % 1000 / 8.0
    FROM generate_series(?::BIGINT, ?::BIGINT) AS t (n)
)"""

_CREATE_WIDE: Final = """
CREATE TABLE {table} (id BIGINT PRIMARY KEY, payload TEXT INDEX OFF STORAGE WITH (columnstore = false))
CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0, refresh_interval = 0)"""

_FILL_WIDE: Final = """
INSERT INTO {table} (id, payload) (
    SELECT n, substr(repeat(md5(n::TEXT) || ' ' || md5((-n)::TEXT) || ' ', ?), 1, ?)
    FROM generate_series(?::BIGINT, ?::BIGINT) AS t (n)
)"""

_REPEATED: Final = 64
"""Characters of the text that a wide row repeats: two digests of its number."""

_NARROW_CHUNK: Final = 500_000
"""Rows of one INSERT: the most that did not slow the server down."""

_WIDE_CHUNK: Final = 4 << 20
"""Bytes of one INSERT: the server holds a statement's rows in its heap."""


def make_logs(url: str, rows: int, say: Callable[[str], None], table: TableName = LOGS, generated: int = ROWS) -> None:
    """Make a table of sample logs: about 420 bytes a document, `id` from 1 without gaps, 4 shards.

    A copy of a row lies in another order than what it was made of, which costs CrateDB half as much again to read:
    tables that are compared have to have the same number of generated rows.

    Args:
        url: CrateDB.
        rows: how many.
        say: is told whether it had to be made.
        table: its name.
        generated: the number of rows that are generated; the others are copies of them.
    """
    made = False
    with sql_cursor(url) as cursor, _unless_there(cursor, table, rows) as missing:
        if missing:
            load_cratedb_sample(cursor, min(rows, generated), table, _END)
            copy, made = _COPY_LOGS.format(table=table), True
            for block in range(1, -(-rows // generated)):
                first = block * generated
                cursor.execute(copy, [first, first * MEAN_GAP, block, min(generated, rows - first)])
    say(f"{'Made' if made else 'Found'} {table} with {rows:,} rows.")


def make_narrow(url: str, rows: int, schema: str = SCHEMA) -> TableName:
    """Make a table of narrow rows: about 110 bytes of JSON a row, four kinds of key, `id` from 1 without gaps."""
    table = TableName(f"bench_narrow_{rows}", schema)
    with sql_cursor(url) as cursor, _unless_there(cursor, table, rows) as missing:
        if missing:
            cursor.execute(_CREATE_NARROW.format(table=table))
            for first in range(1, rows + 1, _NARROW_CHUNK):
                cursor.execute(_FILL_NARROW.format(table=table), [first, min(first + _NARROW_CHUNK - 1, rows)])
    return table


def make_wide(url: str, width: int, rows: int, schema: str = SCHEMA) -> TableName:
    """Make a table of rows of `width` bytes of text, which does not repeat from row to row and is not indexed."""
    table = TableName(f"bench_wide_{width}", schema)
    with sql_cursor(url) as cursor, _unless_there(cursor, table, rows) as missing:
        if missing:
            cursor.execute(_CREATE_WIDE.format(table=table))
            step = max(1, min(_WIDE_CHUNK // width, 100_000))
            for first in range(1, rows + 1, step):
                bounds = [first, min(first + step - 1, rows)]
                cursor.execute(_FILL_WIDE.format(table=table), [width // _REPEATED + 1, width, *bounds])
    return table


@contextmanager
def _unless_there(cursor: Cursor, table: TableName, rows: int) -> Iterator[bool]:
    """Whether the table has to be made; it is dropped before, and put in order afterwards."""
    missing = _count(cursor, table) != rows
    if missing:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    yield missing
    if missing:
        cursor.execute(f"REFRESH TABLE {table}")
        cursor.execute(f"OPTIMIZE TABLE {table}")


def _count(cursor: Cursor, table: TableName) -> int:
    """How many rows the table has; 0 where there is no such table."""
    cursor.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
        [table.schema, table.name],
    )
    if cursor.fetchall() == [[0]]:
        return 0
    cursor.execute(f"REFRESH TABLE {table}")
    cursor.execute(f"SELECT count(*) FROM {table}")
    rows = cursor.fetchall()[0][0]
    return rows if isinstance(rows, int) else 0
