"""A source table as the rest of the product sees it: its columns with their types, its keys, its size."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from indexer.errors import UsageError

__all__ = ["Column", "ColumnKind", "ColumnType", "ObjectPolicy", "Table", "TableName", "nearest", "parse_table_name"]

_PART = r'(?:"(?P<{0}q>(?:[^"]|"")+)"|(?P<{0}p>[^\W\d][\w$]*))'
_TABLE = re.compile(rf"(?:{_PART.format('schema')}\.)?{_PART.format('name')}")


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name and, where it was given or found out, its schema.

    Attributes:
        name: the table, in its true case, without quotes.
        schema: the schema, likewise, or None for the source's default.
    """

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def parse_table_name(text: str) -> TableName:
    """Read a table name as CrateDB would: unquoted parts fold to lower case, quoted ones stay.

    Raises:
        UsageError: where it is not an SQL identifier.
    """
    found = _TABLE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f'{text!r} is not a table name: write logs, doc.logs, or "MyTable" with its double quotes.')
    return TableName(name=_part(found, "name") or "", schema=_part(found, "schema"))


def _part(found: re.Match[str], which: str) -> str | None:
    quoted: str | None = found[f"{which}q"]
    if quoted is not None:
        return quoted.replace('""', '"')
    plain: str | None = found[f"{which}p"]
    return plain.lower() if plain is not None else None


def nearest(wanted: str, known: Iterable[str]) -> str:
    """A sentence part that names what the user may have meant: ` Did you mean a or b?`, or nothing."""
    close = get_close_matches(wanted, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""


class ColumnKind(StrEnum):
    """The kinds of column that a mapping tells apart; the values are CrateDB's own type names."""

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
    """What CrateDB does with keys of an OBJECT that it has no sub-column for."""

    DYNAMIC = "dynamic"
    STRICT = "strict"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type.

    Attributes:
        kind: what it is; for an array, what its elements are.
        array: how many levels of ARRAY are around the kind (0 for a plain column).
        policy: for objects, what happens to unknown keys.
        length: for CHAR the length in characters, for FLOAT_VECTOR the dimensions, else None.
        sql: the type as the source names it, for messages.
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
        indexed: whether a range of its values can be found without reading every row.
        nullable: whether it may hold NULL.
    """

    path: tuple[str, ...]
    type: ColumnType
    children: tuple["Column", ...] = ()
    indexed: bool = True
    nullable: bool = True

    @property
    def name(self) -> str:
        """The dotted name, as overlays, `--columns`, `--key` and Elasticsearch write it: `attrs.pod`."""
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
        shards: the number of primary shards over all partitions (CrateDB), else None.
        rows: the number of rows when it was looked at.
        row_id: the name of a hidden column that identifies a row where there is no primary key: CrateDB's `_id`.
        version: the source product and its version, for reports: `CrateDB 6.4.3`.
        view: whether it is a view over tables whose shards are not known (CrateDB).
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
        todo = list(self.columns)
        while todo:
            column = todo.pop()
            self._by_name[column.name] = column
            todo.extend(column.children)

    def column(self, name: str) -> Column | None:
        """The column or sub-column of this dotted name, or None."""
        return self._by_name.get(name)

    @property
    def caveat(self) -> str:
        """Why rows of it may be missed without anybody noticing, as a clause; empty where they cannot."""
        below = "a view, and nothing tells whether every shard of the tables below it is there"
        return f"{self.name} is {below}: see sys.shards" if self.view else ""

    @property
    def column_names(self) -> tuple[str, ...]:
        """The dotted names of all columns and sub-columns, sorted."""
        return tuple(sorted(self._by_name))
