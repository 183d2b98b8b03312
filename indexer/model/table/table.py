"""A source table: its name, its columns with their types, its primary key and its size."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from indexer.errors import UsageError

__all__ = [
    "INTEGER_KINDS",
    "Column",
    "ColumnKind",
    "ColumnType",
    "ObjectPolicy",
    "Table",
    "TableName",
    "parse_table_name",
]

_PART = r'(?:"(?P<{0}q>(?:[^"]|"")+)"|(?P<{0}p>[^\W\d][\w$]*))'
_TABLE = re.compile(rf"(?:{_PART.format('schema')}\.)?{_PART.format('name')}")


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name and, where it is known, its schema.

    Attributes:
        name: the table, in its actual case, without quotes.
        schema: the schema, in the same form, or None for the source's default.
    """

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def parse_table_name(text: str) -> TableName:
    """Parse a table name as CrateDB does: unquoted parts fold to lower case, quoted parts keep theirs.

    Raises:
        UsageError: if it is not an SQL identifier.
    """
    match = _TABLE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f'{text!r} is not a table name: write logs, doc.logs, or "MyTable" with its double quotes.')
    return TableName(name=_part(match, "name") or "", schema=_part(match, "schema"))


def _part(match: re.Match[str], group: str) -> str | None:
    quoted: str | None = match[f"{group}q"]
    if quoted is not None:
        return quoted.replace('""', '"')
    plain: str | None = match[f"{group}p"]
    return plain.lower() if plain is not None else None


class ColumnKind(StrEnum):
    """The column types that a mapping distinguishes; the values are CrateDB's type names."""

    TEXT = "text"
    CHAR = "character"
    UUID = "uuid"
    BIT = "bit"
    SMALLINT = "smallint"
    INTEGER = "integer"
    BIGINT = "bigint"
    REAL = "real"
    DOUBLE = "double precision"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    IP = "ip"
    TIMESTAMP = "timestamp"
    DATE = "date"
    TIME = "time"
    GEO_POINT = "geo_point"
    GEO_SHAPE = "geo_shape"
    OBJECT = "object"
    JSON = "json"
    FLOAT_VECTOR = "float_vector"
    BYTES = "bytes"
    UNKNOWN = "unknown"


INTEGER_KINDS = frozenset({ColumnKind.SMALLINT, ColumnKind.INTEGER, ColumnKind.BIGINT})


class ObjectPolicy(StrEnum):
    """What CrateDB does with a key of an OBJECT that has no sub-column yet."""

    DYNAMIC = "dynamic"
    STRICT = "strict"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type.

    Attributes:
        kind: the type; for an array, that of its elements.
        array: the levels of ARRAY around it; 0 for a plain column.
        policy: for an OBJECT, what happens to unknown keys.
        length: for CHAR the length in characters, for FLOAT_VECTOR the dimensions, else None.
        sql: the type's name in the source, for messages.
    """

    kind: ColumnKind
    array: int = 0
    policy: ObjectPolicy = ObjectPolicy.DYNAMIC
    length: int | None = None
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or a sub-column of an OBJECT.

    Attributes:
        path: the names from the top-level column down: `("attrs", "pod")` is CrateDB's `attrs['pod']`.
        type: its type.
        children: the known sub-columns, for an OBJECT or an ARRAY(OBJECT).
        indexed: whether the source finds a range of its values without reading every row.
        nullable: whether it may hold NULL.
    """

    path: tuple[str, ...]
    type: ColumnType
    children: tuple["Column", ...] = ()
    indexed: bool = True
    nullable: bool = True

    @property
    def name(self) -> str:
        """The dotted name, as in overlays, `--columns`, `--key` and Elasticsearch: `attrs.pod`."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Table:
    """A source table.

    Attributes:
        name: its schema and name.
        columns: the top-level columns, in the source's order.
        primary_key: the dotted names of the primary key's columns, in order; empty where there is none.
        partitioned_by: the dotted names of the partitioning columns (CrateDB), else empty.
        clustered_by: the routing column (CrateDB), else None.
        shards: the number of primary shards in all partitions (CrateDB), else None.
        rows: the number of rows at the time of inspection.
        row_id: a hidden column that identifies a row where there is no primary key: CrateDB's `_id`.
        version: the source product and its version, for reports: `CrateDB 6.4.3`.
        view: whether it is a view, so that the shards of its tables cannot be checked (CrateDB).
    """

    name: TableName
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    partitioned_by: tuple[str, ...] = ()
    clustered_by: str | None = None
    shards: int | None = None
    rows: int = 0
    row_id: str | None = None
    version: str = ""
    view: bool = False
    _by_name: dict[str, Column] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        pending = list(self.columns)
        while pending:
            column = pending.pop()
            self._by_name[column.name] = column
            pending.extend(column.children)

    def column(self, name: str) -> Column | None:
        """The column or sub-column with this dotted name, or None."""
        return self._by_name.get(name)

    @property
    def caveat(self) -> str:
        """Why rows of the table may be missed unnoticed, as a clause; empty where they cannot be."""
        reason = "a view, so missing shards of the tables below it cannot be detected"
        return f"{self.name} is {reason}: see sys.shards" if self.view else ""

    @property
    def column_names(self) -> tuple[str, ...]:
        """The dotted names of all columns and sub-columns, sorted."""
        return tuple(sorted(self._by_name))
