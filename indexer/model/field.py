"""A field of the new index: which column it holds, as which type, and who decided that; and the type rules."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from indexer.model.field_type import UNSEARCHED
from indexer.model.json import JsonObject
from indexer.model.table import Column, ColumnKind, ObjectPolicy

__all__ = ["MAX_KEYED_VALUE", "MAX_TERM", "TEXT_WITH_KEYWORD", "Field", "Origin", "rule"]

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


def rule(column: Column) -> JsonObject:
    """How a column of this type is indexed where no overlay speaks; an ARRAY as its elements are."""
    special = _RULES.get(column.type.kind)
    return dict(special(column) if special else _SIMPLE[column.type.kind])
