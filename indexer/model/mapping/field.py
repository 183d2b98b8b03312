"""A field of the new index: which column it holds, as which type, and who decided that; and the type rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.field_type import OBJECTS, UNSEARCHED
from indexer.model.table.table import Column, ColumnKind, ObjectPolicy

__all__ = [
    "MAX_KEYED_VALUE",
    "MAX_TERM",
    "TEXT_WITH_KEYWORD",
    "Field",
    "Origin",
    "refuse_collisions",
    "takes_name",
    "type_rule",
]

MAX_TERM = 8191
"""Characters of a keyword that surely fit Lucene's longest term, 32,766 bytes: a longer term rejects its document."""

MAX_KEYED_VALUE = 4096
"""Characters of a value in a flattened field: it shares its term with its key, which half of the bytes are left for."""


class Origin(StrEnum):
    """Who decided what becomes of a column."""

    RULE = "type rule"
    OVERLAY = "overlay"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Field:
    """What becomes of one column or sub-column.

    Attributes:
        name: the dotted name in the index.
        column: the source column.
        type: the field type, or None where the column is left out.
        origin: who decided it.
        definition: what the mapping says of it, without its sub-columns.
    """

    name: str
    column: Column
    type: str | None
    origin: Origin
    definition: JsonObject

    @property
    def own_name(self) -> str:
        """The name without those of the objects around it; a top-level column's may hold dots, as in PostgreSQL."""
        return self.name if len(self.column.path) == 1 else self.name.rpartition(".")[2]


TEXT_WITH_KEYWORD: JsonObject = {
    "type": "text",
    "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
}

_KEYWORD: JsonObject = {"type": "keyword"}

# The source sends epoch milliseconds. Dates are a second format so that people can write them in a query; it is the
# second, because the first one wins and 2026 as sent is a moment in 1970, not a year.
_DATE: JsonObject = {"type": "date", "format": "epoch_millis||strict_date_optional_time"}

_OBJECTS: dict[ObjectPolicy, JsonObject] = {
    ObjectPolicy.DYNAMIC: {"type": "object", "dynamic": True},
    ObjectPolicy.STRICT: {"type": "object", "dynamic": "strict"},
    ObjectPolicy.IGNORED: {"type": "flattened", "ignore_above": MAX_KEYED_VALUE},
}

_SIMPLE: dict[ColumnKind, JsonObject] = {
    ColumnKind.TEXT: TEXT_WITH_KEYWORD,
    ColumnKind.UUID: _KEYWORD,
    ColumnKind.BIT: _KEYWORD,
    ColumnKind.TIME: _KEYWORD,
    ColumnKind.SMALLINT: {"type": "short"},
    ColumnKind.INTEGER: {"type": "integer"},
    ColumnKind.BIGINT: {"type": "long"},
    ColumnKind.REAL: {"type": "float"},
    ColumnKind.DOUBLE: {"type": "double"},
    ColumnKind.NUMERIC: {"type": "double"},
    ColumnKind.BOOLEAN: {"type": "boolean"},
    ColumnKind.IP: {"type": "ip"},
    ColumnKind.TIMESTAMP: _DATE,
    ColumnKind.DATE: _DATE,
    ColumnKind.GEO_POINT: {"type": "geo_point"},
    ColumnKind.GEO_SHAPE: {"type": "geo_shape"},
    ColumnKind.BYTES: {"type": "binary"},
    # Other databases do not say what a JSON column holds: mostly objects; an overlay says `geo_point` or `keyword`.
    ColumnKind.JSON: {"type": "object", "dynamic": True},
    ColumnKind.UNKNOWN: UNSEARCHED,
}


def _char(column: Column) -> JsonObject:
    fits = column.type.length is not None and column.type.length <= MAX_TERM
    return _KEYWORD if fits else {**_KEYWORD, "ignore_above": MAX_TERM}


def _vector(column: Column) -> JsonObject:
    # Not indexed for nearest neighbours: the graph costs more than all the rest of a document, and its default
    # similarity, cosine, rejects the zero vector. `{index: true}` in an overlay asks for it.
    dims: JsonObject = {} if column.type.length is None else {"dims": column.type.length}
    return {"type": "dense_vector", **dims, "index": False}


_RULES: dict[ColumnKind, Callable[[Column], JsonObject]] = {
    ColumnKind.CHAR: _char,
    ColumnKind.OBJECT: lambda column: _OBJECTS[column.type.policy],
    ColumnKind.FLOAT_VECTOR: _vector,
}


def type_rule(column: Column) -> JsonObject:
    """How a column of this type is indexed where no overlay speaks; an ARRAY as its elements are."""
    special = _RULES.get(column.type.kind)
    return dict(special(column) if special else _SIMPLE[column.type.kind])


_METADATA = frozenset(
    {
        "_data_stream_timestamp",
        "_doc_count",
        "_feature",
        "_field_names",
        "_id",
        "_ignored",
        "_ignored_source",
        "_index",
        "_inference_fields",
        "_nested_path",
        "_routing",
        "_seq_no",
        "_source",
        "_tier",
        "_ts_routing_hash",
        "_tsid",
        "_version",
    }
)


def takes_name(name: str, *, top: bool) -> bool:
    """Whether Elasticsearch takes a field of this name; `top` for one that is in no object.

    It refuses names that are empty or blank, also between dots, and at the top those of its metadata fields (seen on
    9.2.0: the mapping is refused, and so is every document with such a name).
    """
    return all(part.strip() for part in name.split(".")) and not (top and name in _METADATA)


def refuse_collisions(fields: Iterable[Field], where: str) -> None:
    """See that every field has a name of its own, and that no value stands where another field needs an object.

    Raises:
        UsageError: for two columns with one name (by `rename`), or `a` and `a.b` where `a` is no object.
    """
    named: dict[str, Field] = {}
    for field in (field for field in fields if field.type is not None):
        other = named.setdefault(field.name, field)
        if other is not field:
            raise _collision(other, field, where)
    for field in named.values():
        parts = field.name.split(".")
        for length in range(1, len(parts)):
            above = named.get(".".join(parts[:length]))
            if above is not None and above.type not in OBJECTS:
                raise _collision(above, field, where)


def _collision(field: Field, other: Field, where: str) -> UsageError:
    return UsageError(
        f"{where}: {field.column.name} and {other.column.name} cannot be the fields {field.name} and {other.name}"
        " of one index: rename one of them, or leave it out."
    )
