"""Writes rows into a table of CrateDB with bulk inserts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Final, Protocol, TypedDict
from urllib.parse import parse_qs, unquote, urlsplit

from crate.client import connect
from crate.client.exceptions import Error as CrateError

from indexer.errors import SourceError, SourceUnavailable
from indexer.model.json import Row
from indexer.model.table.table import TableName

__all__ = ["Cursor", "crate_cursor", "driver_errors", "load_rows", "quoted_table"]

CHUNK: Final = 5_000
"""Rows in one bulk insert: a few MB, which a small server's circuit breaker allows."""


class RowError(TypedDict):
    """The reason that CrateDB rejected a row."""

    message: str


class InsertResult(TypedDict, total=False):
    """The result of one row of a bulk insert: the rows written, or -2 if it was rejected."""

    rowcount: int
    error: RowError


class Cursor(Protocol):
    """The part of the `crate` driver's cursor that is used here; the driver has no type hints."""

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> object:
        """Run one statement."""

    def executemany(self, sql: str, seq_of_parameters: Sequence[Sequence[object]]) -> list[InsertResult]:
        """Run one statement for every row of parameters, in one request."""

    def fetchall(self) -> list[Row]:
        """The rows that the last statement returned."""


@contextmanager
def crate_cursor(url: str) -> Iterator[Cursor]:
    """A cursor at one or more servers, such as `crate://user:password@host:4200`.

    Raises:
        SourceUnavailable: if no server answers.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https" or parse_qs(parts.query).get("sslmode", ["disable"]) != ["disable"]
    hosts = parts.netloc.rpartition("@")[2].split(",")
    try:
        connection = connect(
            [f"{'https' if secure else 'http'}://{host}" for host in hosts],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            compress=False,  # these servers run on this machine
        )
    except CrateError as error:
        raise SourceUnavailable(f"CrateDB does not answer at {','.join(hosts)}; start it, or see its log.") from error
    with closing(connection):
        yield connection.cursor()


def quoted_table(table: TableName) -> str:
    """A table's name quoted for SQL, whatever characters it contains."""
    parts = (table.schema, table.name) if table.schema else (table.name,)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


@contextmanager
def driver_errors(table: TableName) -> Iterator[None]:
    """Turn the driver's errors into one sentence.

    Raises:
        SourceError: in their place.
    """
    try:
        yield
    except CrateError as error:
        raise SourceError(f"The table {table} could not be loaded ({error}); see CrateDB's log.") from error


def load_rows(
    cursor: Cursor, table: TableName, columns: Sequence[str], rows: Iterable[Sequence[object]], key: str | None = None
) -> int:
    """Insert rows and make them visible.

    Args:
        cursor: a cursor of CrateDB.
        table: an existing table.
        columns: the names of the rows' columns.
        rows: the rows.
        key: the primary key: existing rows with the same key are overwritten; None keeps them.

    Returns:
        the number of rows written.

    Raises:
        SourceError: if CrateDB rejects a row.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" for _ in columns)
    insert = f"INSERT INTO {quoted_table(table)} ({names}) VALUES ({marks}) ON CONFLICT {_conflict(columns, key)}"
    written = sum(_insert(cursor, insert, chunk) for chunk in _chunks(rows))
    cursor.execute(f"REFRESH TABLE {quoted_table(table)}")
    return written


def _conflict(columns: Sequence[str], key: str | None) -> str:
    if key is None:
        return "DO NOTHING"
    return f'("{key}") DO UPDATE SET ' + ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != key)


def _insert(cursor: Cursor, insert: str, chunk: list[Sequence[object]]) -> int:
    results = cursor.executemany(insert, chunk)
    failed = [result for result in results if result["rowcount"] < 0]
    if failed:
        reason = failed[0]["error"]["message"] if "error" in failed[0] else "no reason given"
        raise SourceError(f"CrateDB rejected {len(failed)} of {len(chunk)} rows ({reason}); see its log.")
    return sum(result["rowcount"] for result in results)


def _chunks(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
