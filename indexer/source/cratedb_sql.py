"""The SQL of CrateDB: its grammar for SQLAlchemy Core, and the compilation to text that the driver takes as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.sql import quoted_name
from sqlalchemy_cratedb.compat.core20 import CrateCompilerSA20
from sqlalchemy_cratedb.dialect import CrateDialect
from sqlalchemy_cratedb.type.object import ObjectType

from indexer.model.json import Json
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind, Table, TableName
from indexer.source.row_order import Element, OrderKey
from indexer.source.statements import Rows

__all__ = ["CrateGrammar", "Statement", "compile_select", "quoted"]

# mypy: allow-untyped-calls
# The dialect has no annotations.


_NUMBERS: Final = frozenset({*INTEGER_KINDS, ColumnKind.TIMESTAMP})


class _Compiler(CrateCompilerSA20):
    """Writes `$1`, `$2`, ... and keeps the names."""

    def bindparam_string(self, name: str, *_: object, **__: object) -> str:
        names: list[str] = self.__dict__.setdefault("parameter_names", [])
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"


class _Dialect(CrateDialect):
    """CrateDB's dialect with CrateDB's own parameters, `$1`.

    The driver's `%(name)s` cannot be used: SQLAlchemy writes `%%` for each `%` of the user's condition then, and the
    driver leaves it so. A style that SQLAlchemy puts in afterwards cannot either, for the condition may look like it.
    """

    supports_statement_cache = True
    statement_compiler = _Compiler


_DIALECT: Final = _Dialect(paramstyle="named")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the driver takes it.

    Attributes:
        sql: its text.
        names: the names of its parameters `$1`, `$2`, ...
    """

    sql: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, Json]) -> list[Json]:
        """The values in the order of the parameters."""
        return [values[name] for name in self.names]


def compile_select(select: Rows) -> Statement:
    """The text of a select: paid once a shape of window, not once a page."""
    result = select.compile(dialect=_DIALECT)
    return Statement(str(result), tuple(result.__dict__.get("parameter_names", ())))


def quoted(name: TableName) -> str:
    """The table's name for the statements that SQLAlchemy Core does not have."""
    return str(_DIALECT.identifier_preparer.format_table(_table(name)))


def _table(name: TableName) -> sa.TableClause:
    schema = quoted_name(name.schema, quote=True) if name.schema else None
    return sa.table(quoted_name(name.name, quote=True), schema=schema)


class _TextArray(sa.types.UserDefinedType[object]):
    """ARRAY(TEXT) around as many levels as the column has, which SQLAlchemy's ARRAY refuses to nest."""

    cache_ok = True

    def __init__(self, levels: int) -> None:
        self.levels = levels

    def get_col_spec(self, **_: object) -> str:
        return "ARRAY(" * self.levels + "TEXT" + ")" * self.levels


class CrateGrammar:
    """What CrateDB has of its own."""

    def table(self, table: Table) -> sa.TableClause:
        """The table."""
        return _table(table.name)

    def element(self, column: Column) -> Element:
        """The column, or the sub-column as `attrs['pod']`, with a type that SQLAlchemy compares."""
        top, *keys = column.path
        element: Element = sa.column(quoted_name(top, quote=True), ObjectType if keys else None)
        for key in keys:
            element = element[key]
        number = column.type.kind in _NUMBERS
        return sa.type_coerce(element, sa.BigInteger() if number else sa.Text())

    def selected(self, column: Column) -> Element:
        """The column; NUMERIC as text, because its digits come as a JSON number, which a float loses."""
        element = self.element(column)
        if column.type.kind is not ColumnKind.NUMERIC:
            return element
        return sa.cast(element, _TextArray(column.type.array))

    def row_id(self, name: str) -> OrderKey:
        """CrateDB's `_id`: `_id > ?` does not page (docs/servers.md), its text does."""
        element = sa.column(quoted_name(name, quote=True), sa.Text())
        return OrderKey(element, lambda value: sa.func.concat(value, sa.literal_column("''")))

    def order_key(self, column: Column) -> OrderKey:
        """Numbers sort as they are, everything else by a digest of its text.

        Text sorts by UTF-8 within a shard and by UTF-16 where shards are merged, UUID does not compare at all, and
        NULL compares to nothing. The digest has one order everywhere.
        """
        if column.type.kind in _NUMBERS and not column.nullable:
            return OrderKey(self.element(column), lambda value: value, whole=True)
        return OrderKey(self.element(column), _digest_or_empty if column.nullable else _digest)

    def prefixes(self, key_column: Element) -> ColumnElement[bool]:
        """Any of the patterns, or any of the values."""
        likes = sa.any_(sa.bindparam("likes", type_=sa.ARRAY(sa.Text())))
        exacts = sa.any_(sa.bindparam("exacts", type_=sa.ARRAY(sa.Text())))
        return sa.or_(key_column.like(likes), key_column == exacts)

    def longer_prefix(self, key_column: Element) -> Element:
        """CrateDB's `substr` counts UTF-16 units, and half a surrogate pair is no text that JSON could carry."""
        units, more = sa.bindparam("units", type_=sa.Integer()), sa.bindparam("more", type_=sa.Integer())
        one = sa.literal_column("1", sa.Integer())
        last = sa.func.ascii(sa.func.substr(key_column, units, one))
        first_of_pair = last.between(sa.literal_column("55296"), sa.literal_column("56319"))
        return sa.case(
            (first_of_pair, sa.func.substr(key_column, one, more)), else_=sa.func.substr(key_column, one, units)
        )


def _digest(value: Element) -> Element:
    """`format` makes a text of every type, also of UUID, which cannot be cast."""
    return sa.func.md5(sa.func.format(sa.literal_column("'%s'"), value))


def _digest_or_empty(value: Element) -> Element:
    """Nothing for NULL, of which `format` makes the text `null`."""
    return sa.case((value.is_(None), sa.literal_column("''")), else_=_digest(value))
