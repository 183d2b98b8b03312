"""Loads the sample logs into a table, of CrateDB or of an SQLite file; the next time it finds them there."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, cast

import sqlalchemy as sa

from indexer.errors import Refused
from indexer.local.crate_table import Cursor, load_rows, plain_errors, quoted
from indexer.local.samples import ROWS, SampleRow, sample_rows
from indexer.model.identifier import TableName

__all__ = ["LOGS", "load_crate", "load_sqlite"]

LOGS: Final = TableName("logs")
PROBES: Final = 100
"""Rows at the beginning of a table by which it is known again as ours."""

CHUNK: Final = 10_000
"""Rows of one insert into SQLite."""

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


def load_crate(cursor: Cursor, count: int = ROWS, table: TableName = LOGS) -> int:
    """Load sample rows into a CrateDB table, made where it is missing; a load that was cut off is gone on with.

    Args:
        cursor: a cursor of CrateDB.
        count: how many rows there are to be at least.
        table: the table.

    Returns:
        how many rows were added: 0 where they all were there.

    Raises:
        Refused: where the table exists and holds something else; it is left as it is.
        SourceError: where CrateDB rejected a statement or a row.
    """
    with plain_errors(table):
        _check_columns(table, _crate_columns(cursor, table))
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {quoted(table)} {_BODY}")
        cursor.execute(f"REFRESH TABLE {quoted(table)}")
        there, last = _crate_tally(cursor, table)
        cursor.execute(f"SELECT id, trace_id FROM {quoted(table)} WHERE id <= {PROBES}")
        _check_rows(table, there, {(row[0], row[1]) for row in cursor.fetchall()})
        missing = (tuple(row) for row in _missing(count, there, last))  # orjson takes no NamedTuple
        return load_rows(cursor, table, SampleRow._fields, missing)


def load_sqlite(path: Path, count: int = ROWS) -> int:
    """Load sample rows into the table `logs` of an SQLite file; what CrateDB nests is JSON there.

    Args:
        path: the file, made where it is missing.
        count: how many rows there are to be at least.

    Returns:
        how many rows were added: 0 where they all were there.

    Raises:
        Refused: where the table exists and holds something else; it is left as it is.
    """
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            return _fill_sqlite(connection, count)
    finally:
        engine.dispose()


def _fill_sqlite(connection: sa.Connection, count: int) -> int:
    inspector = sa.inspect(connection)
    if inspector.has_table(LOGS.name):
        _check_columns(LOGS, [column["name"] for column in inspector.get_columns(LOGS.name)])
    _SQLITE.create(connection, checkfirst=True)
    tally = sa.select(sa.func.count(_SQLITE.c.id), sa.func.coalesce(sa.func.max(_SQLITE.c.id), 0))
    there, last = cast("tuple[int, int]", connection.execute(tally).one())
    probes = sa.select(_SQLITE.c.id, _SQLITE.c.trace_id).where(_SQLITE.c.id <= PROBES)
    _check_rows(LOGS, there, {tuple(row) for row in connection.execute(probes)})
    rows = (_sqlite_row(row) for row in _missing(count, there, last))
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(sa.insert(_SQLITE).prefix_with("OR IGNORE"), chunk)
    return max(count - there, 0)


def _sqlite_row(row: SampleRow) -> dict[str, object]:
    return {**row._asdict(), "ts": datetime.fromtimestamp(row.ts / 1000, UTC).replace(tzinfo=None)}


def _missing(count: int, there: int, last: int) -> Iterator[SampleRow]:
    """The rows still to be inserted: those after the last one, or all where rows before it are missing too."""
    if there >= count:
        return iter(())
    return islice(sample_rows(count), there if there == last else 0, None)


def _crate_tally(cursor: Cursor, table: TableName) -> tuple[int, int]:
    """How many rows there are, and the largest id."""
    cursor.execute(f"SELECT count(*), COALESCE(max(id), 0) FROM {quoted(table)}")
    return cast("tuple[int, int]", cursor.fetchall()[0])


def _crate_columns(cursor: Cursor, table: TableName) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = COALESCE(?, CURRENT_SCHEMA) AND table_name = ? AND column_details['path'] = []",
        (table.schema, table.name),
    )
    return [str(row[0]) for row in cursor.fetchall()]


def _check_columns(table: TableName, columns: Collection[str]) -> None:
    if columns and set(columns) != set(SampleRow._fields):
        raise _other(table)


def _check_rows(table: TableName, there: int, probes: AbstractSet[tuple[object, ...]]) -> None:
    """Know the rows again by the trace ids of the first ones; a load that was cut off may have left some out."""
    ours = {(row.id, row.trace_id) for row in sample_rows(PROBES)}
    if not probes <= ours or (there and not probes):
        raise _other(table)


def _other(table: TableName) -> Refused:
    return Refused(f"The table {table} holds something other than the sample logs: rename it, or drop it yourself.")
