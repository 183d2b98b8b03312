"""The tables of narrow rows that pages are timed on: about 110 bytes of JSON a row, 4 shards, four keys to page by."""

from typing import Final

from bench.database import SCHEMA, count, cursor
from indexer.model.table.table import TableName

__all__ = ["COLUMNS", "SPAN", "TIES", "make_narrow"]

COLUMNS: Final = ("id", "ts", "rnd", "uid", "level", "host", "amount")

TIES: Final = 50
"""Rows of one timestamp."""

SPAN: Final = 1 << 53
"""Random numbers are below this."""

_CHUNK: Final = 500_000
"""Rows of one INSERT: the most that did not slow the server down."""

_CREATE: Final = """
CREATE TABLE {table} (
    id BIGINT PRIMARY KEY, ts TIMESTAMP WITH TIME ZONE, rnd BIGINT, uid TEXT, level TEXT, host TEXT,
    amount DOUBLE PRECISION
) CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0, refresh_interval = 0)"""

_FILL: Final = f"""
INSERT INTO {{table}} (id, ts, rnd, uid, level, host, amount) (
    SELECT n, 1700000000000 + n / {TIES} * 1000, (random() * {SPAN})::BIGINT, md5(n::TEXT),
           CASE WHEN n % 20 = 0 THEN 'ERROR' ELSE 'INFO' END, 'host-' || (n % 50), n % 1000 / 8.0
    FROM generate_series(?::BIGINT, ?::BIGINT) AS t (n)
)"""


def make_narrow(url: str, rows: int, schema: str = SCHEMA) -> TableName:
    """Make the table with this many rows, unless it is there.

    Args:
        url: CrateDB.
        rows: how many; `id` counts from 1 without gaps.
        schema: the table's.

    Returns:
        its name.
    """
    table = TableName(f"bench_narrow_{rows}", schema)
    with cursor(url) as one:
        if count(one, table) == rows:
            return table
        one.execute(f"DROP TABLE IF EXISTS {table}")
        one.execute(_CREATE.format(table=table))
        for first in range(1, rows + 1, _CHUNK):
            one.execute(_FILL.format(table=table), [first, min(first + _CHUNK - 1, rows)])
        one.execute(f"REFRESH TABLE {table}")
        one.execute(f"OPTIMIZE TABLE {table}")
    return table
