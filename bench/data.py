"""The table of sample logs that every way moves: about 420 bytes a document, `id` from 1 without gaps, 4 shards."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from bench.database import SCHEMA, count, cursor
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.sample_logs import MEAN_GAP, ROWS
from indexer.sandbox.sample_table import load_cratedb_sample

__all__ = ["LOGS", "make_logs"]

LOGS: Final = TableName("bench_logs", SCHEMA)

_END: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""Where the times of the generated rows end: the table is the same whenever it is made."""

_COPY: Final = """
INSERT INTO {table} (
    id, ts, level, service, host, ip, status, latency_ms, message, trace_id, attrs, tags, location
) (
    SELECT id + ?, (ts::BIGINT + ?)::TIMESTAMP WITH TIME ZONE, level, service, host, ip, status, latency_ms, message,
           substr(trace_id, 1, 32) || lpad(?::TEXT, 4, '0'), attrs, tags, location
    FROM {table} WHERE id <= ?
)"""
"""The generated rows once more, later, with ids and trace ids of their own: much faster than generating more."""


def make_logs(url: str, rows: int, say: Callable[[str], None], table: TableName = LOGS, generated: int = ROWS) -> None:
    """Make the table with this many rows, unless it is there.

    The first rows are those of `indexer.sandbox.sample_logs`, and as many at a time are copies of them. A copy lies in the
    table in another order than what it was made of, which costs CrateDB half as much again to read: tables that are
    compared have to be made of the same part.

    Args:
        url: CrateDB.
        rows: how many.
        say: is told whether it had to be made.
        table: its name.
        generated: the number of rows that are no copies.
    """
    with cursor(url) as one:
        found = count(one, table) == rows
        if not found:
            _make(one, rows, table, generated)
    say(f"{'Found' if found else 'Made'} {table} with {rows:,} rows.")


def _make(one: Cursor, rows: int, table: TableName, generated: int) -> None:
    one.execute(f"DROP TABLE IF EXISTS {table}")
    load_cratedb_sample(one, min(rows, generated), table, _END)
    copy = _COPY.format(table=table)
    for block in range(1, -(-rows // generated)):
        first = block * generated
        one.execute(copy, [first, first * MEAN_GAP, block, min(generated, rows - first)])
    one.execute(f"REFRESH TABLE {table}")
    one.execute(f"OPTIMIZE TABLE {table}")
