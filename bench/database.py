"""SQL against CrateDB, for making the tables that are measured and for asking the server about itself."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from crate.client import connect
from crate.client.exceptions import Error

from indexer.errors import SourceError
from indexer.model.json import Json, Row
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor
from indexer.settings import SourceAccess
from indexer.source.url import parse_source_url

__all__ = ["SCHEMA", "count", "cursor", "query"]

SCHEMA: Final = "bench"
"""Where the tables of the benchmarks are kept for the next run."""

_TIMEOUT: Final = 900
"""Seconds for one statement: an OPTIMIZE of a large table takes its time."""


@contextmanager
def cursor(url: str) -> Iterator[Cursor]:
    """A cursor on a connection of its own.

    Raises:
        UsageError: for a URL that cannot be.
        SourceError: where no server answers, or it answers a statement with an error.
    """
    address = parse_source_url(SourceAccess(url=url))
    try:
        connection = connect(list(address.servers), timeout=_TIMEOUT, username=address.user, password=address.password)
        with closing(connection):
            yield connection.cursor()
    except Error as error:
        raise SourceError(f"CrateDB at {address}: {error}") from error


def query(url: str, sql: str, parameters: Sequence[Json] = ()) -> list[Row]:
    """Run one statement; its rows."""
    with cursor(url) as one:
        one.execute(sql, list(parameters))
        return one.fetchall()


def count(one: Cursor, table: TableName) -> int:
    """How many rows the table has; 0 where there is no such table."""
    one.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
        [table.schema, table.name],
    )
    if one.fetchall() == [[0]]:
        return 0
    one.execute(f"REFRESH TABLE {table}")
    one.execute(f"SELECT count(*) FROM {table}")
    rows = one.fetchall()[0][0]
    return rows if isinstance(rows, int) else 0
