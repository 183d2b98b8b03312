"""A source table as the rest of the product sees it: its columns with their types, its keys, its size."""

from dataclasses import dataclass, field
from enum import StrEnum

from indexer.model.identifier import TableName

__all__ = ["Column", "ColumnKind", "ColumnType", "ObjectPolicy", "Table"]


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
