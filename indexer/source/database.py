"""Any other database that SQLAlchemy speaks to, as a source; tested with SQLite."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from indexer.errors import Refused, SourceError
from indexer.model.identifier import TableName
from indexer.model.json import Json, Row
from indexer.model.selection import Selection
from indexer.model.slice import Bin
from indexer.model.table import INTEGER_KINDS, Column, Table
from indexer.model.window import Ask, Census
from indexer.settings import SourceAccess
from indexer.source.base import Bounds, Page
from indexer.source.counting import count, histogram
from indexer.source.database_table import describe, reflect
from indexer.source.failure import of_database
from indexer.source.plain_sql import PlainGrammar, typed_value
from indexer.source.statements import Query, Rows, Shape, Statements

__all__ = ["DatabaseReader", "DatabaseSource"]

_SAMPLE: Final = 64
"""How many rows of a page are measured: the driver does not say how many bytes came."""


class DatabaseReader:
    """Reads pages of one selection, each on a connection of the pool; not shared between threads."""

    def __init__(self, source: "DatabaseSource", selection: Selection) -> None:
        self._source = source
        self._selection = selection
        self._statements = Statements(selection, source.grammar(selection.table.name))
        self._selects: dict[Shape, Rows] = {}

    def page(self, ask: Ask, most: int | None = None) -> Page:  # noqa: ARG002  # the driver cannot tell
        """Run one query; see `indexer.source.base.Reader`."""
        rows = self.run(self._statements.page(ask))
        return Page(rows, _size(rows))

    def rows(self, identities: Sequence[Sequence[Json]], most: int | None = None) -> Page:  # noqa: ARG002  # as above
        """Read rows again by what makes their `_id`; see `indexer.source.base.Reader`."""
        columns = self._selection.id_columns
        typed = [[typed_value(*pair) for pair in zip(columns, one, strict=True)] for one in identities]
        rows = self.run(self._statements.rows(typed))
        return Page(rows, _size(rows))

    def census(self, census: Census) -> list[tuple[str, int]]:
        """Never asked for: text has no flat windows here."""
        raise NotImplementedError(census)

    def run(self, query: Query) -> list[Row]:
        """Run any of the selection's queries, composing each shape of them once."""
        select = self._selects.get(query.shape)
        if select is None:
            select = self._selects[query.shape] = self._statements.select(query.shape)
        with self._source.connected() as connection:
            return list(map(list, connection.execute(select, dict(query.values))))

    def close(self) -> None:
        """Nothing is kept open: the pool is the source's."""


class DatabaseSource:
    """A database behind SQLAlchemy as a source; see `indexer.source.base.Source`."""

    def __init__(self, access: SourceAccess) -> None:
        """Read the URL; nothing is connected yet.

        Raises:
            Refused: for a URL that SQLAlchemy cannot take, or whose driver is not installed.
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
            SourceUnavailable: where asking again may help.
            SourceError: where it does not.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise of_database(error, self._shown) from error

    def describe(self, name: TableName) -> Table:
        """Look at a table.

        Raises:
            Refused: where there is no such table (naming the nearest), no privilege to read it, or no connection.
        """
        try:
            with self.connected() as connection:
                return describe(connection, name, self._reflect(connection, name))
        except SourceError as error:
            raise Refused(f"{error}; check --source and the user's privileges.") from error

    def grammar(self, name: TableName) -> PlainGrammar:
        """The SQL of this database for a table, which is looked at once."""
        with self.connected() as connection:
            return PlainGrammar(self._reflect(connection, name), self._engine.dialect.name)

    def _reflect(self, connection: sa.Connection, name: TableName) -> sa.Table:
        if name not in self._reflected:
            self._reflected[name] = reflect(connection, name)
        return self._reflected[name]

    def refresh(self, table: Table) -> None:
        """Nothing: what is written is visible."""

    def has_flat_windows(self, lead: Column) -> bool:
        """Integers only: elsewhere a plain keyset walks an index in order, which CrateDB does not."""
        return lead.type.kind in INTEGER_KINDS and not lead.type.array

    def bounds(self, selection: Selection) -> Bounds:
        """Count the rows and find the smallest and largest lead.

        Raises:
            Refused: where the database cannot run the user's `--where`.
        """
        return count(DatabaseReader(self, selection).run, selection)

    def bins(self, selection: Selection, width: int) -> list[Bin]:
        """The histogram of an integer lead, in one query."""
        return histogram(DatabaseReader(self, selection).run, width)

    def absent(self, table: Table) -> tuple[str, ...]:  # noqa: ARG002  # the protocol's
        """Nothing: a database of one piece answers whole, or not at all."""
        return ()

    def stored_rows(self, table: Table) -> int | None:  # noqa: ARG002  # the protocol's
        """There are no shards."""
        return None

    def updates(self, selection: Selection) -> int | None:  # noqa: ARG002  # the protocol's
        """SQL has no name for it."""
        return None

    def reader(self, selection: Selection) -> DatabaseReader:
        """A reader of pages."""
        return DatabaseReader(self, selection)

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()


def _engine(access: SourceAccess) -> sa.Engine:
    try:
        url = _url(access)
        # Every reader has a connection, however many there are; nothing is written, so nothing needs a transaction.
        return sa.create_engine(
            url, poolclass=sa.QueuePool, max_overflow=-1, pool_timeout=access.timeout, isolation_level="AUTOCOMMIT"
        )
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise Refused(
            "--source is neither a URL of CrateDB nor one that SQLAlchemy takes:"
            " write crate://localhost:4200, or sqlite:///logs.db."
        ) from None  # a port that is no number is quoted in its text, and may be a part of the password
    except ModuleNotFoundError as error:
        raise Refused(f"--source needs the driver {error.name}: install it beside this program.") from error


def _url(access: SourceAccess) -> sa.URL:
    _refuse_crate_options(access)
    url = make_url(access.url)
    if url.username is None and access.user is not None:
        password = access.password.get_secret_value() if access.password else None
        url = url.set(username=access.user, password=password)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Refused(f"There is no SQLite file {url.database or 'in memory'}: name one with --source.")
    return url


def _refuse_crate_options(access: SourceAccess) -> None:
    """What is not passed on must not be taken for safe."""
    given = {"jwt": access.jwt, "ca": access.ca, "cert": access.cert, "cert-key": access.cert_key}
    for name, value in given.items():
        if value is not None:
            raise Refused(f"--source-{name} is for CrateDB: write what the database's driver takes into --source.")


def _size(rows: Sequence[Row]) -> int:
    """About how many bytes the rows have, from a few of them."""
    some = rows[:: max(1, len(rows) // _SAMPLE)]
    return sum(len(str(value)) for row in some for value in row) * len(rows) // max(1, len(some))
