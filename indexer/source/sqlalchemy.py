"""Any other database that SQLAlchemy supports, as a source; tested with SQLite."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from indexer.access import SourceAccess
from indexer.errors import SourceError, UsageError
from indexer.model.json import Json, Row
from indexer.model.paging.slice import Bin
from indexer.model.paging.window import PageRequest, PrefixCount
from indexer.model.table.selection import Selection
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind, Table, TableName
from indexer.source.counts import read_bounds, read_histogram
from indexer.source.errors import error_of_database
from indexer.source.protocol import Bounds, Page
from indexer.source.row_order import Element, OrderKey
from indexer.source.sqlalchemy_schema import read_sqlalchemy_table, reflect
from indexer.source.statements import Query, Rows, Shape, Statements

__all__ = ["PlainGrammar", "SqlAlchemyReader", "SqlAlchemySource", "typed_value"]

_FOR_NULL: Final[dict[ColumnKind, int | bool | datetime | UUID]] = {
    ColumnKind.SMALLINT: 0,
    ColumnKind.INTEGER: 0,
    ColumnKind.BIGINT: 0,
    ColumnKind.BOOLEAN: False,
    ColumnKind.TIMESTAMP: datetime(1970, 1, 1),  # noqa: DTZ001  # a column without a zone takes no other
    ColumnKind.UUID: UUID(int=0),
}
"""What NULL sorts as. A real value may equal it, because the columns that identify the row sort after it."""

_FROM_TEXT: Final[dict[ColumnKind, Callable[[str], object]]] = {
    ColumnKind.TIMESTAMP: datetime.fromisoformat,
    ColumnKind.DATE: date.fromisoformat,
    ColumnKind.TIME: time.fromisoformat,
    ColumnKind.UUID: UUID,
    ColumnKind.NUMERIC: Decimal,
    ColumnKind.BYTES: b64decode,
}
"""Types that drivers require where JSON has text."""


def typed_value(column: Column, value: Json) -> Any:  # noqa: ANN401  # the type depends on the driver
    """A value for the driver, from the JSON value in an `_id`."""
    convert = _FROM_TEXT.get(column.type.kind)
    return convert(value) if convert and isinstance(value, str) else value


class PlainGrammar:
    """The SQL of any SQLAlchemy database; see `indexer.source.statements.Grammar`.

    Args:
        reflected: the reflected table.
        product: SQLAlchemy's name of the database, such as `sqlite`.
    """

    def __init__(self, reflected: sa.Table, product: str) -> None:
        self._reflected = reflected
        self._is_sqlite = product == "sqlite"

    def table(self, table: Table) -> sa.FromClause:  # noqa: ARG002  # the reflected one has its types
        """The table."""
        return self._reflected

    def element(self, column: Column) -> Element:
        """The column."""
        return self._reflected.c[column.name]

    def selected(self, column: Column) -> Element:
        """The column; NUMERIC as text, because some drivers return it as a float, which loses digits."""
        element = self.element(column)
        exact = column.type.kind is ColumnKind.NUMERIC and not column.type.array
        return sa.cast(element, sa.Text()).label(column.name) if exact else element

    def row_id(self, name: str) -> OrderKey:
        """Never called: such a table has no hidden row id."""
        raise NotImplementedError(name)

    def order_key(self, column: Column) -> OrderKey:
        """The column itself; in SQLite, timestamps are text in several formats, and sort by one of them."""
        element = self.element(column)
        if self._is_sqlite and column.type.kind is ColumnKind.TIMESTAMP:
            return OrderKey(element, _normalized_timestamp, element.type)
        if not column.nullable:
            return OrderKey(element, lambda value: value, element.type)
        for_null = sa.literal(_FOR_NULL.get(column.type.kind, ""), element.type)
        return OrderKey(element, lambda value: sa.func.coalesce(value, for_null), element.type)

    def prefixes(self, key_column: Element) -> ColumnElement[bool]:
        """Never called: text keys are paged by plain keyset here."""
        raise NotImplementedError(key_column)

    def longer_prefix(self, key_column: Element) -> Element:
        """Never called: text keys are paged by plain keyset here."""
        raise NotImplementedError(key_column)


def _normalized_timestamp(value: Element) -> Element:
    return sa.func.coalesce(sa.func.strftime("%Y-%m-%d %H:%M:%f", value), "")


_SAMPLE: Final = 64
"""Rows of a page that are measured, because the driver does not count bytes."""


class SqlAlchemyReader:
    """Reads pages of one selection, each over a connection of the pool; not shared between threads."""

    def __init__(self, source: "SqlAlchemySource", selection: Selection) -> None:
        self._source = source
        self._selection = selection
        self._statements = Statements(selection, source.grammar(selection.table.name))
        self._selects: dict[Shape, Rows] = {}

    def page(self, request: PageRequest, max_bytes: int | None = None) -> Page:  # noqa: ARG002  # drivers cannot bound it
        """Read one page; see `indexer.source.protocol.Reader`."""
        rows = self.run(self._statements.page(request))
        return Page(rows, _size(rows))

    def rows(self, identities: Sequence[Sequence[Json]], max_bytes: int | None = None) -> Page:  # noqa: ARG002  # as above
        """Read rows by identity; see `indexer.source.protocol.Reader`."""
        columns = self._selection.id_columns
        typed = [[typed_value(*pair) for pair in zip(columns, identity, strict=True)] for identity in identities]
        rows = self.run(self._statements.rows(typed))
        return Page(rows, _size(rows))

    def count_prefixes(self, prefix_count: PrefixCount) -> list[tuple[str, int]]:
        """Never called: text keys are paged by plain keyset here."""
        raise NotImplementedError(prefix_count)

    def run(self, query: Query) -> list[Row]:
        """Run one of the selection's queries, composing each shape once."""
        select = self._selects.get(query.shape)
        if select is None:
            select = self._selects[query.shape] = self._statements.select(query.shape)
        with self._source.connected() as connection:
            return list(map(list, connection.execute(select, dict(query.values))))

    def close(self) -> None:
        """Nothing to close: the pool belongs to the source."""


class SqlAlchemySource:
    """A database behind SQLAlchemy as a source; see `indexer.source.protocol.Source`."""

    def __init__(self, access: SourceAccess) -> None:
        """Parse the URL; the connection is opened later.

        Raises:
            UsageError: for an invalid URL, or one whose driver is not installed.
        """
        self._engine = _engine(access)
        self._reflected: dict[TableName, sa.Table] = {}

    @property
    def _shown(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection of the pool.

        Raises:
            SourceUnavailable: where a retry may help.
            SourceError: where it does not.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise error_of_database(error, self._shown) from error

    def describe(self, name: TableName) -> Table:
        """Read the definition of a table.

        Raises:
            UsageError: where there is no such table (naming the nearest), no privilege to read it, or no connection.
        """
        try:
            with self.connected() as connection:
                return read_sqlalchemy_table(connection, name, self._reflect(connection, name))
        except SourceError as error:
            raise UsageError(f"{error}; check --source and the user's privileges.") from error

    def grammar(self, name: TableName) -> PlainGrammar:
        """The SQL of this database for a table, which is reflected once."""
        with self.connected() as connection:
            return PlainGrammar(self._reflect(connection, name), self._engine.dialect.name)

    def _reflect(self, connection: sa.Connection, name: TableName) -> sa.Table:
        if name not in self._reflected:
            self._reflected[name] = reflect(connection, name)
        return self._reflected[name]

    def refresh(self, table: Table) -> None:
        """Does nothing: writes are visible at once."""

    def has_flat_windows(self, key_column: Column) -> bool:
        """Integers only: other keys are paged by plain keyset, which reads an index in order here, unlike CrateDB."""
        return key_column.type.kind in INTEGER_KINDS and not key_column.type.array

    def bounds(self, selection: Selection) -> Bounds:
        """Count the rows, and find the smallest and the largest key.

        Raises:
            UsageError: where the database rejects the user's `--where`.
        """
        return read_bounds(SqlAlchemyReader(self, selection).run, selection)

    def bins(self, selection: Selection, width: int) -> list[Bin]:
        """The histogram of an integer key column, in one query."""
        return read_histogram(SqlAlchemyReader(self, selection).run, width)

    def unavailable_shards(self, table: Table) -> tuple[str, ...]:  # noqa: ARG002  # the protocol's
        """None: there are no shards."""
        return ()

    def stored_rows(self, table: Table) -> int | None:  # noqa: ARG002  # the protocol's
        """None: there are no shards."""
        return None

    def update_checksum(self, selection: Selection) -> int | None:  # noqa: ARG002  # the protocol's
        """None: SQL has no row versions."""
        return None

    def reader(self, selection: Selection) -> SqlAlchemyReader:
        """A new reader."""
        return SqlAlchemyReader(self, selection)

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()


def _engine(access: SourceAccess) -> sa.Engine:
    try:
        url = _url(access)
        # Any number of readers gets a connection each. Nothing is written, so no transaction is needed.
        return sa.create_engine(
            url, poolclass=sa.QueuePool, max_overflow=-1, pool_timeout=access.timeout, isolation_level="AUTOCOMMIT"
        )
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise UsageError(
            "--source is neither a CrateDB URL nor a SQLAlchemy URL; write crate://localhost:4200, or sqlite:///logs.db."
        ) from None  # its text quotes an invalid port, which may be a part of the password
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--source needs the Python driver {error.name}, which is not installed; pip install it."
        ) from error


def _url(access: SourceAccess) -> sa.URL:
    _refuse_crate_options(access)
    url = make_url(access.url)
    if url.username is None and access.user is not None:
        password = access.password.get_secret_value() if access.password else None
        url = url.set(username=access.user, password=password)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise UsageError(
            f"There is no SQLite file {url.database}; name an existing one with --source."
            if url.database
            else "--source names no SQLite file; write sqlite:///logs.db."
        )
    return url


def _refuse_crate_options(access: SourceAccess) -> None:
    """Refuse options that would be ignored: a connection must not only look secured."""
    given = {"jwt": access.jwt, "ca": access.ca, "cert": access.cert, "cert-key": access.cert_key}
    for name, value in given.items():
        if value is not None:
            raise UsageError(
                f"--source-{name} applies only to CrateDB; put the options of the database's driver into --source."
            )


def _size(rows: Sequence[Row]) -> int:
    """An estimate of the rows' bytes, from a sample of them."""
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    return sum(len(str(value)) for row in sample for value in row) * len(rows) // max(1, len(sample))
