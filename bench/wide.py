"""Tables of rows as wide as one likes: text that does not repeat from row to row, and is not searched in CrateDB."""

from typing import Final

from bench.database import SCHEMA, count, cursor
from indexer.model.table.table import TableName

__all__ = ["COLUMNS", "make_wide"]

COLUMNS: Final = ("id", "payload")

_LINE: Final = 64
"""Characters of the text that is repeated: two digests of the row's number."""

_CHUNK: Final = 4 << 20
"""Bytes of one INSERT: a statement's rows are held in the server's heap."""


def make_wide(url: str, width: int, rows: int, schema: str = SCHEMA) -> TableName:
    """Make a table of rows of about `width` bytes, unless it is there.

    Args:
        url: CrateDB.
        width: bytes of text in a row.
        rows: how many.
        schema: the table's.

    Returns:
        the table's name.
    """
    table = TableName(f"bench_wide_{width}", schema)
    with cursor(url) as one:
        if count(one, table) == rows:
            return table
        one.execute(f"DROP TABLE IF EXISTS {table}")
        one.execute(
            f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, payload TEXT INDEX OFF STORAGE WITH (columnstore = false))"
            " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0, refresh_interval = 0)"
        )
        step = max(1, min(_CHUNK // width, 100_000))
        for first in range(1, rows + 1, step):
            one.execute(
                f"INSERT INTO {table} (id, payload) (SELECT n, substr(repeat(md5(n::TEXT) || ' ' || md5((-n)::TEXT)"
                " || ' ', ?), 1, ?) FROM generate_series(?::BIGINT, ?::BIGINT) AS t (n))",
                [width // _LINE + 1, width, first, min(first + step - 1, rows)],
            )
        one.execute(f"REFRESH TABLE {table}")
    return table
