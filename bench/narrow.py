"""The table of narrow rows that pages are timed on: about 80 bytes of JSON each, `id` from 1 without gaps, 4 shards."""

from typing import Final

from bench.database import count, cursor
from indexer.model.identifier import TableName

__all__ = ["NARROW", "make_narrow"]

NARROW: Final = TableName("bench_narrow", "bench")

_CHUNK: Final = 500_000
"""Rows of one INSERT: the most that did not slow the server down."""

_CREATE: Final = f"""
CREATE TABLE {NARROW} (
    id BIGINT PRIMARY KEY, ts TIMESTAMP WITH TIME ZONE, level TEXT, host TEXT, uid TEXT, amount DOUBLE PRECISION
) CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0, refresh_interval = 0)"""

_FILL: Final = f"""
INSERT INTO {NARROW} (id, ts, level, host, uid, amount) (
    SELECT n, 1700000000000 + n * 10, CASE WHEN n % 20 = 0 THEN 'ERROR' ELSE 'INFO' END, 'host-' || (n % 50),
           md5(n::TEXT), n % 1000 / 8.0
    FROM generate_series(?::BIGINT, ?::BIGINT) AS t (n)
)"""


def make_narrow(url: str, rows: int) -> bool:
    """Make the table with this many rows, unless it is there.

    Args:
        url: CrateDB.
        rows: how many.

    Returns:
        whether it had to be made.
    """
    with cursor(url) as one:
        if count(one, NARROW) == rows:
            return False
        one.execute(f"DROP TABLE IF EXISTS {NARROW}")
        one.execute(_CREATE)
        for first in range(1, rows + 1, _CHUNK):
            one.execute(_FILL, [first, min(first + _CHUNK - 1, rows)])
        one.execute(f"REFRESH TABLE {NARROW}")
        one.execute(f"OPTIMIZE TABLE {NARROW}")
    return True
