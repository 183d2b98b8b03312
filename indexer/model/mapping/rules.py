"""Type rules: the field that each column type becomes, alone and with what the overlay says about it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from indexer.model.json import Json, JsonObject
from indexer.model.mapping.analysis import ANALYZER_KEYS, analyzers_to_probe
from indexer.model.mapping.capabilities import RequiredFeatures
from indexer.model.mapping.field import Field, Origin
from indexer.model.mapping.field_type import ALWAYS_AVAILABLE, DATES, OBJECTS, UNSEARCHED, sub_fields, types_of
from indexer.model.mapping.overlay import Overlay
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind, ObjectPolicy, Table

__all__ = [
    "MAX_KEYED_VALUE",
    "MAX_TERM",
    "TEXT_WITH_KEYWORD",
    "dynamic_templates",
    "field_definition",
    "required_features",
    "type_rule",
]

MAX_TERM: Final = 8191
"""The most characters of a keyword that always fit Lucene's longest term, 32,766 bytes. Longer terms are rejected."""

MAX_KEYED_VALUE: Final = 4096
"""The most characters of a value in a flattened field: its term also holds the key, which gets the other half."""

TEXT_WITH_KEYWORD: JsonObject = {
    "type": "text",
    "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
}

_KEYWORD: JsonObject = {"type": "keyword"}

# The source sends epoch milliseconds. Dates are accepted as well, so that people can write them in queries, but only as
# the second format: the first that parses wins, and the number 2026 means a moment in 1970, not a year.
_DATE: JsonObject = {"type": "date", "format": "epoch_millis||strict_date_optional_time"}

_OBJECT_RULES: dict[ObjectPolicy, JsonObject] = {
    ObjectPolicy.DYNAMIC: {"type": "object", "dynamic": True},
    ObjectPolicy.STRICT: {"type": "object", "dynamic": "strict"},
    ObjectPolicy.IGNORED: {"type": "flattened", "ignore_above": MAX_KEYED_VALUE},
}

_FIXED_RULES: dict[ColumnKind, JsonObject] = {
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
    # Other databases do not say what a JSON column holds. Mostly objects; an overlay can say `geo_point` or `keyword`.
    ColumnKind.JSON: {"type": "object", "dynamic": True},
    ColumnKind.UNKNOWN: UNSEARCHED,
}


def _char(column: Column) -> JsonObject:
    fits = column.type.length is not None and column.type.length <= MAX_TERM
    return _KEYWORD if fits else {**_KEYWORD, "ignore_above": MAX_TERM}


def _vector(column: Column) -> JsonObject:
    # Not indexed for nearest-neighbour search: the graph costs more than the rest of the document, and the default
    # similarity, cosine, rejects the zero vector. `{index: true}` in an overlay turns it on.
    dims: JsonObject = {} if column.type.length is None else {"dims": column.type.length}
    return {"type": "dense_vector", **dims, "index": False}


_RULES: dict[ColumnKind, Callable[[Column], JsonObject]] = {
    ColumnKind.CHAR: _char,
    ColumnKind.OBJECT: lambda column: _OBJECT_RULES[column.type.policy],
    ColumnKind.FLOAT_VECTOR: _vector,
}

_FAMILIES: Final = (OBJECTS, DATES)
"""Groups of types whose shared parameters mean the same, so that a rule's parameters apply to the whole group."""

_UNBOUNDED: Final = frozenset({ColumnKind.TEXT, ColumnKind.BYTES, ColumnKind.UNKNOWN, ColumnKind.CHAR})
"""Kinds whose values can exceed `MAX_TERM`."""


def type_rule(column: Column) -> JsonObject:
    """The definition of a column's field where the overlay says nothing. An ARRAY is indexed like its elements."""
    rule = _RULES.get(column.type.kind)
    return dict(rule(column) if rule else _FIXED_RULES[column.type.kind])


def field_definition(column: Column, overlay: Overlay) -> tuple[JsonObject, Origin]:
    """The definition of a column's field by its type and the overlay, and which of the two decided."""
    base = type_rule(column)
    option = overlay.fields.get(column.name)
    given = option.definition() if option else {}
    if not given:
        return base, Origin.RULE
    kind = given.get("type", base["type"])
    if "type" in given:
        base = _inherited(base, str(kind))
    if kind == "keyword" and column.type.kind in _UNBOUNDED:
        # A longer value cannot be searched in any case; without this limit it rejects the whole document.
        base.setdefault("ignore_above", MAX_TERM)
    if kind == "flattened":
        base.setdefault("ignore_above", MAX_KEYED_VALUE)
    return {**base, **given}, Origin.OVERLAY


def _inherited(base: JsonObject, kind: str) -> JsonObject:
    """The type rule's parameters that also apply to the overlay's type; sub-fields never do."""
    rule_type = str(base["type"])
    related = rule_type == kind or any({rule_type, kind} <= family for family in _FAMILIES)
    return {key: value for key, value in base.items() if related and key not in {"fields", "enabled"}}


def dynamic_templates(fields: Iterable[Field]) -> list[Json]:
    """Dynamic templates that apply the type rules of TEXT and DOUBLE to new keys of dynamic objects."""
    dynamic = [field.name for field in fields if field.definition.get("dynamic") in (True, "true")]
    # A template of `a.*` covers every level below.
    outer = [name for name in dynamic if not any(name.startswith(f"{above}.") for above in dynamic)]
    rules: dict[str, JsonObject] = {"string": TEXT_WITH_KEYWORD, "double": {"type": "double"}}
    return [_template(name, kind, body) for name in outer for kind, body in rules.items()]


def _template(name: str, kind: str, body: JsonObject) -> Json:
    return {f"{name} {kind}": {"path_match": f"{name}.*", "match_mapping_type": kind, "mapping": body}}


def required_features(source: Selection | Table, overlay: Overlay) -> RequiredFeatures:
    """What to probe the cluster for before `build_mapping` can decide about these columns."""
    types: set[str] = set()
    analyzers: set[str] = set()
    for column in _with_children(source.columns):
        definition, _ = field_definition(column, overlay)
        types |= types_of(definition)
        analyzers |= _analyzers(definition)
    to_probe = (analyzers_to_probe(name, overlay.analyzers) for name in analyzers - overlay.own_analyzers)
    return RequiredFeatures(frozenset().union(*to_probe), frozenset(types - ALWAYS_AVAILABLE))


def _with_children(columns: Iterable[Column]) -> Iterator[Column]:
    for column in columns:
        yield column
        yield from _with_children(column.children)


def _analyzers(definition: JsonObject) -> frozenset[str]:
    own = frozenset(str(definition[key]) for key in ANALYZER_KEYS if key in definition)
    return own.union(*(_analyzers(sub) for sub in sub_fields(definition).values()))
