"""The SQL of CrateDB: its grammar for SQLAlchemy Core, and its compilation to text for the driver."""

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
    """Writes parameters as `$1`, `$2`, ... and records their names."""

    def bindparam_string(self, name: str, *_: object, **__: object) -> str:
        names: list[str] = self.__dict__.setdefault("parameter_names", [])
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"


class _Dialect(CrateDialect):
    """CrateDB's dialect with CrateDB's own parameters, `$1`.

    With the driver's `%(name)s`, SQLAlchemy would double each `%` of the user's condition, and the driver would keep it
    doubled. Styles that SQLAlchemy fills in after compiling are unsafe too: the condition may contain the same text.
    """

    supports_statement_cache = True
    statement_compiler = _Compiler


_DIALECT: Final = _Dialect(paramstyle="named")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for the driver.

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
    """Compile a select. It takes long enough to be done once a shape, not once a page."""
    result = select.compile(dialect=_DIALECT)
    return Statement(str(result), tuple(result.__dict__.get("parameter_names", ())))


def quoted(name: TableName) -> str:
    """The quoted name of a table, for statements that SQLAlchemy Core does not have."""
    return str(_DIALECT.identifier_preparer.format_table(_table(name)))


def _table(name: TableName) -> sa.TableClause:
    schema = quoted_name(name.schema, quote=True) if name.schema else None
    return sa.table(quoted_name(name.name, quote=True), schema=schema)


class _TextArray(sa.types.UserDefinedType[object]):
    """TEXT in any number of array levels; SQLAlchemy's ARRAY does not nest."""

    cache_ok = True

    def __init__(self, levels: int) -> None:
        self.levels = levels

    def get_col_spec(self, **_: object) -> str:
        return "ARRAY(" * self.levels + "TEXT" + ")" * self.levels


class CrateGrammar:
    """The SQL of CrateDB; see `indexer.source.statements.Grammar`."""

    def table(self, table: Table) -> sa.TableClause:
        """The table."""
        return _table(table.name)

    def element(self, column: Column) -> Element:
        """The column, or the sub-column as `attrs['pod']`, with a type that SQLAlchemy can compare."""
        top, *keys = column.path
        element: Element = sa.column(quoted_name(top, quote=True), ObjectType if keys else None)
        for key in keys:
            element = element[key]
        number = column.type.kind in _NUMBERS
        return sa.type_coerce(element, sa.BigInteger() if number else sa.Text())

    def selected(self, column: Column) -> Element:
        """The column; NUMERIC as text, because a float loses digits of the JSON number that CrateDB sends."""
        element = self.element(column)
        if column.type.kind is not ColumnKind.NUMERIC:
            return element
        return sa.cast(element, _TextArray(column.type.array))

    def row_id(self, name: str) -> OrderKey:
        """CrateDB's `_id`, as text: paging by `_id > ?` returns wrong rows (docs/servers.md)."""
        element = sa.column(quoted_name(name, quote=True), sa.Text())
        return OrderKey(element, lambda value: sa.func.concat(value, sa.literal_column("''")))

    def order_key(self, column: Column) -> OrderKey:
        """Integers sort as they are, everything else by a digest of its text.

        Text sorts by UTF-8 within a shard but by UTF-16 where shards are merged, UUID has no order, and NULL compares
        with nothing. A digest has the same order everywhere.
        """
        if column.type.kind in _NUMBERS and not column.nullable:
            return OrderKey(self.element(column), lambda value: value, integer=True)
        return OrderKey(self.element(column), _digest_or_empty if column.nullable else _digest)

    def prefixes(self, key_column: Element) -> ColumnElement[bool]:
        """The keys that match a pattern or equal a value."""
        likes = sa.any_(sa.bindparam("likes", type_=sa.ARRAY(sa.Text())))
        exacts = sa.any_(sa.bindparam("exacts", type_=sa.ARRAY(sa.Text())))
        return sa.or_(key_column.like(likes), key_column == exacts)

    def longer_prefix(self, key_column: Element) -> Element:
        """CrateDB's `substr` counts UTF-16 units, and JSON cannot carry half of a surrogate pair."""
        units, more = sa.bindparam("units", type_=sa.Integer()), sa.bindparam("more", type_=sa.Integer())
        one = sa.literal_column("1", sa.Integer())
        last = sa.func.ascii(sa.func.substr(key_column, units, one))
        first_of_pair = last.between(sa.literal_column("55296"), sa.literal_column("56319"))
        return sa.case(
            (first_of_pair, sa.func.substr(key_column, one, more)), else_=sa.func.substr(key_column, one, units)
        )


def _digest(value: Element) -> Element:
    """`format` converts every type to text, even UUID, which has no cast."""
    return sa.func.md5(sa.func.format(sa.literal_column("'%s'"), value))


def _digest_or_empty(value: Element) -> Element:
    """The digest, or an empty text for NULL, which `format` would write as `null`."""
    return sa.case((value.is_(None), sa.literal_column("''")), else_=_digest(value))
