"""A table of any SQLAlchemy database, as its inspector tells of it."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from indexer.errors import UsageError
from indexer.model.table.table import Column, ColumnKind, ColumnType, Table, TableName, nearest

__all__ = ["read_sqlalchemy_table", "reflect"]

_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], ColumnKind], ...]] = (
    (sa.Boolean, ColumnKind.BOOLEAN),
    (sa.SmallInteger, ColumnKind.SMALLINT),
    (sa.BigInteger, ColumnKind.BIGINT),
    (sa.Integer, ColumnKind.INTEGER),
    (sa.REAL, ColumnKind.REAL),
    (sa.Float, ColumnKind.DOUBLE),
    (sa.Numeric, ColumnKind.NUMERIC),
    (sa.Uuid, ColumnKind.UUID),
    (sa.CHAR, ColumnKind.CHAR),
    (sa.String, ColumnKind.TEXT),
    (sa.DateTime, ColumnKind.TIMESTAMP),
    (sa.Date, ColumnKind.DATE),
    (sa.Time, ColumnKind.TIME),
    (sa.JSON, ColumnKind.JSON),
    (sa.LargeBinary, ColumnKind.BYTES),
)
"""A type is of the first kind that it derives from."""

_PRODUCTS: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


def reflect(connection: sa.Connection, name: TableName) -> sa.Table:
    """The table or view as SQLAlchemy knows it.

    Raises:
        UsageError: where there is none of this name.
    """
    inspector = sa.inspect(connection)
    if not inspector.has_table(name.name, schema=name.schema):
        known = [*inspector.get_table_names(schema=name.schema), *inspector.get_view_names(schema=name.schema)]
        raise UsageError(f"There is no table {name}.{nearest(name.name, known)}")
    return sa.Table(name.name, sa.MetaData(), schema=name.schema, autoload_with=connection, resolve_fks=False)


def read_sqlalchemy_table(connection: sa.Connection, name: TableName, table: sa.Table) -> Table:
    """The table as the rest of the product sees it."""
    product = connection.dialect.name
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    indexed = {column.name for column in table.primary_key.columns} | {
        next(iter(index.columns)).name for index in table.indexes if index.columns
    }
    return Table(
        name=name,
        columns=tuple(_column(column, product, indexed) for column in table.columns),
        primary_key=tuple(_plain(column.name) for column in table.primary_key.columns),
        rows=connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one(),
        version=f"{_PRODUCTS.get(product, product)} {version}".rstrip(),
    )


def _column(column: sa.Column[Any], product: str, indexed: set[str]) -> Column:
    return Column(
        path=(_plain(column.name),),
        type=_type(column.type, product),
        indexed=column.name in indexed,
        nullable=_may_be_null(column, product),
    )


def _may_be_null(column: sa.Column[Any], product: str) -> bool:
    """SQLite alone has primary keys that may be NULL, except where it is one integer."""
    row_id = isinstance(column.type, sa.Integer) and len(column.table.primary_key.columns) == 1
    never = column.primary_key and (row_id or product != "sqlite")
    return bool(column.nullable) and not never


def _type(type_: TypeEngine[Any], product: str) -> ColumnType:
    if isinstance(type_, sa.ARRAY):
        return ColumnType(_kind(type_.item_type, product), array=type_.dimensions or 1, sql=str(type_))
    kind = _kind(type_, product)
    length = type_.length if kind is ColumnKind.CHAR and isinstance(type_, sa.String) else None
    return ColumnType(kind, length=length, sql=str(type_))


def _kind(type_: TypeEngine[Any], product: str) -> ColumnKind:
    kind = next((kind for base, kind in _KINDS if isinstance(type_, base)), ColumnKind.UNKNOWN)
    # Every integer of SQLite has 64 bits, whatever its column is called.
    return ColumnKind.BIGINT if kind is ColumnKind.INTEGER and product == "sqlite" else kind


def _plain(name: str) -> str:
    """A name as a plain string: SQLAlchemy's `quoted_name` is one by inheritance alone, which orjson refuses."""
    return "".join(name)
