"""A table of CrateDB as its `information_schema` tells of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from indexer.errors import SourceError, UsageError
from indexer.model.json import Json
from indexer.model.table.table import Column, ColumnKind, ColumnType, ObjectPolicy, Table, TableName, nearest
from indexer.source.counts import integer
from indexer.source.cratedb_client import CrateConnection
from indexer.source.cratedb_sql import quoted
from indexer.source.errors import FORBIDDEN, UNKNOWN

__all__ = ["read_cratedb_table", "unsearchable"]

_COLUMNS: Final = """
    SELECT column_name, ordinal_position, data_type, column_details['policy'], character_maximum_length, is_nullable
    FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position"""

_TABLE: Final = """
    SELECT clustered_by, number_of_shards, partitioned_by, table_type
    FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2"""

_PRIMARY_KEY: Final = """
    SELECT i.indkey FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND i.indisprimary"""
"""Ordinal positions of columns: `information_schema.key_column_usage` has `o` where `o['day']` is meant."""

_PARTITIONS: Final = """
    SELECT sum(number_of_shards) FROM information_schema.table_partitions
    WHERE table_schema = $1 AND table_name = $2"""

_TABLES: Final = "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"

_KINDS: Final = {
    **{kind.value: kind for kind in ColumnKind if kind not in {ColumnKind.BYTES, ColumnKind.UNKNOWN}},
    "timestamp with time zone": ColumnKind.TIMESTAMP,
    "timestamp without time zone": ColumnKind.TIMESTAMP,
    "byte": ColumnKind.SMALLINT,
}

_ARRAY: Final = "_array"
_BLOBS: Final = "blob"
_VIEW: Final = "VIEW"
_DEFAULT_SCHEMA: Final = "doc"
_INDENT: Final = 3
_NAME_OR_TEXT: Final = re.compile(r"""("(?:[^"]|"")*")|'(?:[^']|'')*'""")
_COLUMN_LINE: Final = re.compile(r'(?P<indent> +)"(?P<name>(?:[^"]|"")+)" (?P<definition>.*)')
_UNSEARCHABLE: Final = re.compile(r"\bINDEX (OFF|USING FULLTEXT)\b")


def read_cratedb_table(connection: CrateConnection, name: TableName) -> Table:
    """Look at a table or a view; a table is refreshed first, so that all rows written so far are seen.

    Raises:
        UsageError: where there is no such table, or the user may not read it.
    """
    name = TableName(name.name, name.schema or connection.address.schema or _DEFAULT_SCHEMA)
    try:
        return _table(connection, name)
    except SourceError as error:
        if error.code in FORBIDDEN | UNKNOWN:
            raise UsageError(f"The user may not read {name} ({error}): GRANT DQL ON TABLE {quoted(name)}.") from error
        raise


def _table(connection: CrateConnection, name: TableName) -> Table:
    found = connection.run(_TABLE, [name.schema, name.name])
    if not found:
        raise _no_such_table(connection, name)
    clustered_by, shards, partitioned_by, kind = found[0]
    stored = shards is not None and name.schema != _BLOBS
    if stored:
        connection.run(f"REFRESH TABLE {quoted(name)}")
    if partitioned_by:
        shards = connection.run(_PARTITIONS, [name.schema, name.name])[0][0] or 0
    lines = _lines(connection, name)
    primary_key = _primary_key(connection, name, lines) if stored else ()
    off = unsearchable(str(connection.run(f"SHOW CREATE TABLE {quoted(name)}")[0][0])) if stored else frozenset()
    return Table(
        name=name,
        columns=tuple(_column(path, lines, off) for path in lines if len(path) == 1),
        primary_key=primary_key,
        partitioned_by=tuple(_dotted(column) for column in _list(partitioned_by)),
        clustered_by=None if clustered_by in {None, "_id"} else _dotted(clustered_by),
        shards=shards if isinstance(shards, int) else None,
        rows=integer(connection.run(f"SELECT count(*) FROM {quoted(name)}")[0][0]),
        row_id="_id" if stored and not primary_key else None,
        version=" ".join(str(connection.run("SELECT version()")[0][0]).split()[:2]),
        view=kind == _VIEW,
    )


def _no_such_table(connection: CrateConnection, name: TableName) -> UsageError:
    tables = [TableName(str(table), str(schema)) for schema, table in connection.run(_TABLES)]
    alike = [table for table in tables if table.name.lower() == name.name.lower()]
    if alike:
        near = f" Did you mean {' or '.join(map(quoted, alike[:3]))}?"
    else:
        near = nearest(name.name, [table.name for table in tables if table.schema == name.schema])
    user = connection.address.user
    unread = f" that the user {user} may read: create it, or GRANT DQL ON TABLE {quoted(name)} TO {user}"
    return UsageError(
        f"There is no table {name}{unread if user else ''}.{near or nearest(str(name), map(str, tables))}"
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """What `information_schema.columns` says of one column."""

    position: int
    type: str
    policy: str
    length: int | None
    nullable: bool


_Path: TypeAlias = tuple[str, ...]
_Lines: TypeAlias = Mapping[_Path, _Line]


def _lines(connection: CrateConnection, name: TableName) -> _Lines:
    lines = {}
    for column, place, type_, policy, length, nullable in connection.run(_COLUMNS, [name.schema, name.name]):
        size = length if isinstance(length, int) else None
        lines[_path(column)] = _Line(integer(place), str(type_), str(policy), size, nullable != "NO")
    return lines


def _primary_key(connection: CrateConnection, name: TableName, lines: _Lines) -> tuple[str, ...]:
    names = {line.position: ".".join(path) for path, line in lines.items()}
    keys = connection.run(_PRIMARY_KEY, [name.schema, name.name])
    return tuple(names[integer(position)] for row in keys for position in _list(row[0]))


def _column(path: _Path, lines: _Lines, off: frozenset[_Path]) -> Column:
    line = lines[path]
    below = [child for child in lines if child[:-1] == path]
    # A sub-column of an array of objects holds one value an object: no row can be found by it.
    within_array = any(lines[path[:end]].type.endswith(_ARRAY) for end in range(1, len(path)))
    return Column(
        path=path,
        type=_type(line),
        children=tuple(_column(child, lines, off) for child in below),
        indexed=path not in off and not within_array,
        nullable=line.nullable,
    )


def _type(line: _Line) -> ColumnType:
    name, levels = line.type, 0
    while name.endswith(_ARRAY):
        name, levels = name.removesuffix(_ARRAY), levels + 1
    kind = _KINDS.get(name, ColumnKind.UNKNOWN)
    return ColumnType(
        kind=kind,
        array=levels,
        policy=ObjectPolicy(line.policy) if kind is ColumnKind.OBJECT else ObjectPolicy.DYNAMIC,
        length=line.length if kind in {ColumnKind.CHAR, ColumnKind.FLOAT_VECTOR} else None,
        sql="ARRAY(" * levels + name.upper() + ")" * levels,
    )


def unsearchable(create: str) -> frozenset[_Path]:
    """The paths of the columns that no row can be found by, out of what SHOW CREATE TABLE printed.

    `information_schema` does not tell. They are those with INDEX OFF, and those whose own index is FULLTEXT: there
    `=` and LIKE look for single words of a text, in lower case, and would lose rows.
    """
    # Texts may hold anything; names in double quotes stay.
    plain = _NAME_OR_TEXT.sub(lambda found: found[1] or "''", create)
    off = set()
    path: list[str] = []
    for line in plain.splitlines():
        if found := _COLUMN_LINE.fullmatch(line):
            path = [*path[: len(found["indent"]) // _INDENT - 1], found["name"].replace('""', '"')]
            if _UNSEARCHABLE.search(found["definition"]):
                off.add(tuple(path))
    return frozenset(off)


def _path(name: Json) -> _Path:
    """CrateDB writes `o['A b']['c']`, and allows no bracket in a name."""
    return tuple(part.removesuffix("']") for part in str(name).split("['"))


def _dotted(name: Json) -> str:
    return ".".join(_path(name))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
