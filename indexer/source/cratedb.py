"""CrateDB as a source: one connection for planning, and one for each reader."""

from collections.abc import Sequence
from functools import cached_property

from indexer.access import SourceAccess
from indexer.errors import SourceError, UsageError
from indexer.model.json import Json, Row
from indexer.model.paging.slice import Bin
from indexer.model.paging.window import PageRequest, PrefixCount
from indexer.model.table.selection import Selection
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind, Table, TableName
from indexer.source.counts import integer, read_bounds, read_histogram
from indexer.source.cratedb_client import CrateConnection
from indexer.source.cratedb_schema import read_cratedb_table
from indexer.source.cratedb_shards import count_stored_rows, unavailable_shards, update_checksum
from indexer.source.cratedb_sql import CrateGrammar, Statement, compile_select, quoted
from indexer.source.protocol import Bounds, Page
from indexer.source.statements import Query, Shape, Statements
from indexer.source.url import parse_source_url

__all__ = ["CrateReader", "CrateSource"]

_FLAT = frozenset({*INTEGER_KINDS, ColumnKind.TIMESTAMP, ColumnKind.TEXT})


class CrateReader:
    """Reads pages of one selection over one connection; not shared between threads."""

    def __init__(self, connection: CrateConnection, selection: Selection) -> None:
        self._connection = connection
        self._statements = Statements(selection, CrateGrammar())
        self._compiled: dict[Shape, Statement] = {}

    def page(self, request: PageRequest, max_bytes: int | None = None) -> Page:
        """Read one page; see `indexer.source.protocol.Reader`."""
        rows = self.run(self._statements.page(request), max_bytes)
        return Page(rows, self._connection.size)

    def rows(self, identities: Sequence[Sequence[Json]], max_bytes: int | None = None) -> Page:
        """Read rows by identity; see `indexer.source.protocol.Reader`."""
        rows = self.run(self._statements.rows(identities), max_bytes)
        return Page(rows, self._connection.size)

    def count_prefixes(self, prefix_count: PrefixCount) -> list[tuple[str, int]]:
        """Count the rows of each longer prefix; see `indexer.source.protocol.Reader`."""
        return [
            (str(prefix), integer(rows)) for prefix, rows in self.run(self._statements.count_prefixes(prefix_count))
        ]

    def run(self, query: Query, max_bytes: int | None = None) -> list[Row]:
        """Run one of the selection's queries, compiling each shape once."""
        statement = self._compiled.get(query.shape)
        if statement is None:
            statement = self._compiled[query.shape] = compile_select(self._statements.select(query.shape))
        return self._connection.run(statement.sql, statement.arguments(query.values), max_bytes)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class CrateSource:
    """CrateDB as a source; see `indexer.source.protocol.Source`."""

    def __init__(self, access: SourceAccess) -> None:
        """Parse the URL; the connection is opened later.

        Raises:
            UsageError: for an invalid URL.
        """
        self._access = access
        self._address = parse_source_url(access)

    @cached_property
    def _connection(self) -> CrateConnection:
        return self._connect()

    def _connect(self) -> CrateConnection:
        return CrateConnection(self._access, self._address)

    def describe(self, name: TableName) -> Table:
        """Read the definition of a table, over the first connection.

        Raises:
            UsageError: where there is no such table (naming the nearest), no privilege to read it, or no connection.
        """
        try:
            connection = self._connection
        except SourceError as error:
            raise UsageError(str(error)) from error
        return read_cratedb_table(connection, name)

    def refresh(self, table: Table) -> None:
        """Make every row written so far visible; a view cannot be refreshed."""
        if table.primary_key or table.row_id:
            self._connection.run(f"REFRESH TABLE {quoted(table.name)}")

    def has_flat_windows(self, key_column: Column) -> bool:
        """Integers and timestamps are paged by ranges, text by prefixes (docs/servers.md)."""
        return key_column.type.kind in _FLAT and not key_column.type.array

    def bounds(self, selection: Selection) -> Bounds:
        """Count the rows, and find the smallest and the largest key.

        Raises:
            UsageError: where CrateDB rejects the user's `--where`.
        """
        return read_bounds(CrateReader(self._connection, selection).run, selection)

    def bins(self, selection: Selection, width: int) -> list[Bin]:
        """The histogram of a numeric key column, in one query."""
        return read_histogram(CrateReader(self._connection, selection).run, width)

    def unavailable_shards(self, table: Table) -> tuple[str, ...]:
        """The primary shards that are not started, and the closed partitions."""
        return unavailable_shards(self._connection, table.name)

    def stored_rows(self, table: Table) -> int | None:
        """The number of rows in the primary shards, by `sys.shards`."""
        return count_stored_rows(self._connection, table.name)

    def update_checksum(self, selection: Selection) -> int:
        """The number of updates of all rows, weighted by their keys."""
        return update_checksum(self._connection, selection)

    def reader(self, selection: Selection) -> CrateReader:
        """A new reader, with its own connection."""
        return CrateReader(self._connect(), selection)

    def close(self) -> None:
        """Close the connection for planning; readers close their own."""
        if "_connection" in self.__dict__:
            self._connection.close()
