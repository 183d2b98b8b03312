"""The table of sample logs, in CrateDB or in an SQLite file, with timestamps that end now.

A later call uses the rows that are there; once they are too old for a search of the last minutes, it loads them again.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, cast

import sqlalchemy as sa

from indexer.errors import UsageError
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor, driver_errors, load_rows, quoted_table
from indexer.sandbox.sample_logs import ROWS, SampleRow, sample_rows, start_for

__all__ = ["FRESH", "LOGS", "load_cratedb_sample", "load_sqlite_sample"]

LOGS: Final = TableName("logs")
PROBES: Final = 100
"""First rows of a table that are checked to recognise it as one of sample logs."""

FRESH: Final = timedelta(minutes=10)
"""Age of the sample logs after which they are loaded again."""

CHUNK: Final = 10_000
"""Rows in one insert into SQLite."""

_BODY: Final = """(
    id BIGINT PRIMARY KEY,
    ts TIMESTAMP WITH TIME ZONE NOT NULL,
    level TEXT,
    service TEXT,
    host TEXT,
    ip IP,
    status INTEGER,
    latency_ms DOUBLE PRECISION,
    message TEXT,
    trace_id TEXT,
    attrs OBJECT(DYNAMIC) AS (pod TEXT, region TEXT, http OBJECT(DYNAMIC) AS (method TEXT, path TEXT)),
    tags ARRAY(TEXT),
    location GEO_POINT
) CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = '0-1')"""

_SQLITE: Final = sa.Table(
    LOGS.name,
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ts", sa.TIMESTAMP, nullable=False, index=True),
    sa.Column("level", sa.Text),
    sa.Column("service", sa.Text),
    sa.Column("host", sa.Text),
    sa.Column("ip", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("latency_ms", sa.Double),
    sa.Column("message", sa.Text),
    sa.Column("trace_id", sa.Text),
    sa.Column("attrs", sa.JSON),
    sa.Column("tags", sa.JSON),
    sa.Column("location", sa.JSON(none_as_null=True)),
)


class _Contents(NamedTuple):
    """The present contents of a table.

    Attributes:
        rows: the number of rows.
        samples: the number of those that are among the sample rows to be loaded.
        oldest: the timestamp of the oldest of these, in milliseconds since 1970; 0 if there are none.
    """

    rows: int
    samples: int
    oldest: int


def load_cratedb_sample(cursor: Cursor, count: int = ROWS, table: TableName = LOGS, end: datetime | None = None) -> int:
    """Load sample rows into a CrateDB table, which is created if it is missing.

    Args:
        cursor: a cursor of CrateDB.
        count: the least number of rows that the table is to have.
        table: the table.
        end: the time that their timestamps end at; None for now.

    Returns:
        the number of rows written: `count`, or 0 if all are there and end at most `FRESH` before `end`.

    Raises:
        UsageError: if the table exists and contains anything else; it is left as it is.
        SourceError: if CrateDB rejects a statement or a row.
    """
    start = start_for(count, end or datetime.now(UTC))
    with driver_errors(table):
        _check_columns(table, _crate_columns(cursor, table))
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {quoted_table(table)} {_BODY}")
        cursor.execute(f"REFRESH TABLE {quoted_table(table)}")
        contents = _crate_contents(cursor, table, count)
        cursor.execute(f"SELECT id, trace_id FROM {quoted_table(table)} WHERE id <= {PROBES}")
        _check_rows(table, contents, {(row[0], row[1]) for row in cursor.fetchall()})
        if _is_current(contents, count, start):
            return 0
        rows = (tuple(row) for row in sample_rows(count, start=start))  # orjson takes no NamedTuple
        return load_rows(cursor, table, SampleRow._fields, rows, key="id")


def load_sqlite_sample(path: Path, count: int = ROWS, end: datetime | None = None) -> int:
    """Load sample rows into the table `logs` of an SQLite file, with objects and arrays as JSON.

    Args:
        path: the file, which is created if it is missing.
        count: the least number of rows that the table is to have.
        end: the time that their timestamps end at; None for now.

    Returns:
        the number of rows written: `count`, or 0 if all are there and end at most `FRESH` before `end`.

    Raises:
        UsageError: if the table exists and contains anything else; it is left as it is.
    """
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            return _fill_sqlite(connection, count, start_for(count, end or datetime.now(UTC)))
    finally:
        engine.dispose()


def _fill_sqlite(connection: sa.Connection, count: int, start: datetime) -> int:
    inspector = sa.inspect(connection)
    if inspector.has_table(LOGS.name):
        _check_columns(LOGS, [column["name"] for column in inspector.get_columns(LOGS.name)])
    _SQLITE.create(connection, checkfirst=True)
    contents = _sqlite_contents(connection, count)
    probes = sa.select(_SQLITE.c.id, _SQLITE.c.trace_id).where(_SQLITE.c.id <= PROBES)
    _check_rows(LOGS, contents, {tuple(row) for row in connection.execute(probes)})
    if _is_current(contents, count, start):
        return 0
    rows = map(_sqlite_row, sample_rows(count, start=start))
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(sa.insert(_SQLITE).prefix_with("OR REPLACE"), chunk)
    return count


def _sqlite_contents(connection: sa.Connection, count: int) -> _Contents:
    is_sample = _SQLITE.c.id <= count
    totals = sa.select(
        sa.func.count(_SQLITE.c.id),
        sa.func.count(_SQLITE.c.id).filter(is_sample),
        sa.func.min(_SQLITE.c.ts).filter(is_sample),
    )
    rows, samples, oldest = connection.execute(totals).one()
    return _Contents(rows, samples, round(oldest.replace(tzinfo=UTC).timestamp() * 1000) if oldest else 0)


def _sqlite_row(row: SampleRow) -> dict[str, object]:
    return {**row._asdict(), "ts": datetime.fromtimestamp(row.ts / 1000, UTC).replace(tzinfo=None)}


def _is_current(contents: _Contents, count: int, start: datetime) -> bool:
    return contents.samples == count and contents.oldest >= (start - FRESH).timestamp() * 1000


def _crate_contents(cursor: Cursor, table: TableName, count: int) -> _Contents:
    is_sample = "FILTER (WHERE id <= ?)"
    cursor.execute(
        f"SELECT count(*), count(*) {is_sample}, COALESCE(min(ts) {is_sample}, 0)::BIGINT FROM {quoted_table(table)}",
        [count, count],
    )
    return _Contents(*cast("tuple[int, int, int]", cursor.fetchall()[0]))


def _crate_columns(cursor: Cursor, table: TableName) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = COALESCE(?, CURRENT_SCHEMA) AND table_name = ? AND column_details['path'] = []",
        (table.schema, table.name),
    )
    return [str(row[0]) for row in cursor.fetchall()]


def _check_columns(table: TableName, columns: Collection[str]) -> None:
    if columns and set(columns) != set(SampleRow._fields):
        raise _foreign_table(table)


def _check_rows(table: TableName, contents: _Contents, probes: AbstractSet[tuple[object, ...]]) -> None:
    """Recognise sample rows by the trace ids of the first ones; after an interrupted load, some may be missing."""
    samples = {(row.id, row.trace_id) for row in sample_rows(PROBES)}
    if not probes <= samples or (contents.rows and not probes):
        raise _foreign_table(table)


def _foreign_table(table: TableName) -> UsageError:
    return UsageError(f"The table {table} contains other rows than the sample logs; rename it, or drop it.")
