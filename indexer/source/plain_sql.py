"""The grammar of databases whose sort and comparison agree with each other."""

from base64 import b64decode
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from indexer.model.json import Json
from indexer.model.table import Column, ColumnKind, Table
from indexer.source.order import Element, OrderKey

__all__ = ["PlainGrammar", "typed_value"]

_FOR_NULL: Final[dict[ColumnKind, Any]] = {
    ColumnKind.SMALLINT: 0,
    ColumnKind.INTEGER: 0,
    ColumnKind.BIGINT: 0,
    ColumnKind.BOOLEAN: False,
    ColumnKind.TIMESTAMP: datetime(1970, 1, 1),  # noqa: DTZ001  # a column without a zone takes no other
    ColumnKind.UUID: UUID(int=0),
}
"""What NULL is sorted as; that a value may be the same does no harm, for what identifies the row comes after it."""


_FROM_TEXT: Final[dict[ColumnKind, Callable[[str], Any]]] = {
    ColumnKind.TIMESTAMP: datetime.fromisoformat,
    ColumnKind.DATE: date.fromisoformat,
    ColumnKind.TIME: time.fromisoformat,
    ColumnKind.UUID: UUID,
    ColumnKind.NUMERIC: Decimal,
    ColumnKind.BYTES: b64decode,
}
"""What drivers take where JSON has a text."""


def typed_value(column: Column, value: Json) -> Any:  # noqa: ANN401  # whatever its driver takes
    """A value of a column as the driver sent it, from what `_id` has of it."""
    typed = _FROM_TEXT.get(column.type.kind)
    return typed(value) if typed and isinstance(value, str) else value


class PlainGrammar:
    """What any SQLAlchemy database understands.

    Args:
        reflected: the table as SQLAlchemy knows it.
        product: SQLAlchemy's name of the database: `sqlite`.
    """

    def __init__(self, reflected: sa.Table, product: str) -> None:
        self._reflected = reflected
        self._is_sqlite = product == "sqlite"

    def table(self, table: Table) -> sa.FromClause:  # noqa: ARG002  # the reflected one knows its types
        """The table."""
        return self._reflected

    def element(self, column: Column) -> Element:
        """The column."""
        return self._reflected.c[column.name]

    def selected(self, column: Column) -> Element:
        """The column; NUMERIC as text, as from CrateDB: some drivers make floats of it, which loses digits."""
        element = self.element(column)
        exact = column.type.kind is ColumnKind.NUMERIC and not column.type.array
        return sa.cast(element, sa.Text()).label(column.name) if exact else element

    def row_id(self, name: str) -> OrderKey:
        """There is none."""
        raise NotImplementedError(name)

    def order_key(self, column: Column) -> OrderKey:
        """Sort by the column as it is; but SQLite has a timestamp as a text, which can be written in several ways."""
        element = self.element(column)
        if self._is_sqlite and column.type.kind is ColumnKind.TIMESTAMP:
            return OrderKey(element, _written_one_way, element.type)
        if not column.nullable:
            return OrderKey(element, lambda value: value, element.type)
        instead = sa.literal(_FOR_NULL.get(column.type.kind, ""), element.type)
        return OrderKey(element, lambda value: sa.func.coalesce(value, instead), element.type)

    def prefixes(self, lead: Element) -> ColumnElement[bool]:
        """Never asked for: text has no flat windows here."""
        raise NotImplementedError(lead)

    def longer_prefix(self, lead: Element) -> Element:
        """Never asked for: text has no flat windows here."""
        raise NotImplementedError(lead)


def _written_one_way(value: Element) -> Element:
    return sa.func.coalesce(sa.func.strftime("%Y-%m-%d %H:%M:%f", value), "")
