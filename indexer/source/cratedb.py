"""CrateDB as a source: one connection to look around with, and one for each reader."""

from collections.abc import Sequence
from functools import cached_property

from indexer.errors import SourceError, UsageError
from indexer.model.json import Json, Row
from indexer.model.paging.slice import Bin
from indexer.model.paging.window import PageRequest, PrefixCount
from indexer.model.table.selection import Selection
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind, Table, TableName
from indexer.settings import SourceAccess
from indexer.source.counts import integer, read_bounds, read_histogram
from indexer.source.cratedb_client import CrateConnection
from indexer.source.cratedb_schema import read_cratedb_table
from indexer.source.cratedb_shards import absent_shards, count_stored_rows, count_updates
from indexer.source.cratedb_sql import CrateGrammar, Statement, compile_select, quoted
from indexer.source.protocol import Bounds, Page
from indexer.source.statements import Query, Shape, Statements
from indexer.source.url import parse_source_url

__all__ = ["CrateReader", "CrateSource"]

_FLAT = frozenset({*INTEGER_KINDS, ColumnKind.TIMESTAMP, ColumnKind.TEXT})


class CrateReader:
    """One connection that reads pages of one selection; not shared between threads."""

    def __init__(self, connection: CrateConnection, selection: Selection) -> None:
        self._connection = connection
        self._statements = Statements(selection, CrateGrammar())
        self._compiled: dict[Shape, Statement] = {}

    def page(self, ask: PageRequest, most: int | None = None) -> Page:
        """Run one query; see `indexer.source.protocol.Reader`."""
        rows = self.run(self._statements.page(ask), most)
        return Page(rows, self._connection.size)

    def rows(self, identities: Sequence[Sequence[Json]], most: int | None = None) -> Page:
        """Read rows again by what makes their `_id`; see `indexer.source.protocol.Reader`."""
        rows = self.run(self._statements.rows(identities), most)
        return Page(rows, self._connection.size)

    def count_prefixes(self, prefix_count: PrefixCount) -> list[tuple[str, int]]:
        """Count the rows per longer prefix; see `indexer.source.protocol.Reader`."""
        return [
            (str(prefix), integer(rows)) for prefix, rows in self.run(self._statements.count_prefixes(prefix_count))
        ]

    def run(self, query: Query, most: int | None = None) -> list[Row]:
        """Run any of the selection's queries, compiling each shape of them once."""
        statement = self._compiled.get(query.shape)
        if statement is None:
            statement = self._compiled[query.shape] = compile_select(self._statements.select(query.shape))
        return self._connection.run(statement.sql, statement.arguments(query.values), most)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class CrateSource:
    """CrateDB as a source; see `indexer.source.protocol.Source`."""

    def __init__(self, access: SourceAccess) -> None:
        """Read the URL; nothing is connected yet.

        Raises:
            UsageError: for a URL that cannot be.
        """
        self._access = access
        self._address = parse_source_url(access)

    @cached_property
    def _connection(self) -> CrateConnection:
        return self._connect()

    def _connect(self) -> CrateConnection:
        return CrateConnection(self._access, self._address)

    def describe(self, name: TableName) -> Table:
        """Look at a table, and so at the connection too.

        Raises:
            UsageError: where there is no such table (naming the nearest), no privilege to read it, or no connection.
        """
        try:
            connection = self._connection
        except SourceError as error:
            raise UsageError(str(error)) from error
        return read_cratedb_table(connection, name)

    def refresh(self, table: Table) -> None:
        """Make every row visible that was written so far, as `read_cratedb_table` does. A view shows what its tables show."""
        if table.primary_key or table.row_id:
            self._connection.run(f"REFRESH TABLE {quoted(table.name)}")

    def has_flat_windows(self, key_column: Column) -> bool:
        """Integers and timestamps by ranges, text by prefixes (docs/servers.md)."""
        return key_column.type.kind in _FLAT and not key_column.type.array

    def bounds(self, selection: Selection) -> Bounds:
        """Count the rows and find the smallest and largest key column.

        Raises:
            UsageError: where CrateDB cannot run the user's `--where`.
        """
        return read_bounds(CrateReader(self._connection, selection).run, selection)

    def bins(self, selection: Selection, width: int) -> list[Bin]:
        """The histogram of a number key column, in one query."""
        return read_histogram(CrateReader(self._connection, selection).run, width)

    def absent(self, table: Table) -> tuple[str, ...]:
        """The primary shards that are not started, by partition and number."""
        return absent_shards(self._connection, table.name)

    def stored_rows(self, table: Table) -> int | None:
        """The rows in the primary shards, by `sys.shards`."""
        return count_stored_rows(self._connection, table.name)

    def updates(self, selection: Selection) -> int:
        """How often the rows were updated, weighed by their keys."""
        return count_updates(self._connection, selection)

    def reader(self, selection: Selection) -> CrateReader:
        """A connection of its own to read pages with."""
        return CrateReader(self._connect(), selection)

    def close(self) -> None:
        """Close the connection to look around with."""
        if "_connection" in self.__dict__:
            self._connection.close()
