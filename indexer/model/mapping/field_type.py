"""Elasticsearch's field types: those that exist, those that every node has, and substitutes for missing ones."""

from indexer.model.json import Json, JsonObject

__all__ = [
    "ALWAYS_AVAILABLE",
    "DATES",
    "FLOATS",
    "INTEGERS",
    "KNOWN_TYPES",
    "NUMBERS",
    "OBJECTS",
    "SCALARS",
    "UNSEARCHED",
    "missing_types",
    "sub_fields",
    "substitute",
    "types_of",
]

INTEGERS = frozenset({"byte", "short", "integer", "long", "unsigned_long"})
FLOATS = frozenset({"half_float", "float", "double", "scaled_float"})
NUMBERS = INTEGERS | FLOATS
"""Types of numbers, all of which reject NaN and the infinities."""

DATES = frozenset({"date", "date_nanos"})

OBJECTS = frozenset({"object", "nested"})
"""Types whose sub-fields are mapped one by one."""

_TEXTS = frozenset({"text", "match_only_text", "search_as_you_type", "annotated_text", "semantic_text"})
_WORDS = frozenset({"keyword", "wildcard", "constant_keyword", "counted_keyword", "version"})

SCALARS = NUMBERS | _TEXTS | _WORDS | DATES | {"boolean", "ip", "binary", "token_count", "dense_vector"}
"""Types that take a value or an array of values, never a JSON object."""

ALWAYS_AVAILABLE = frozenset(
    {
        "binary",
        "boolean",
        "byte",
        "date",
        "date_nanos",
        "double",
        "float",
        "geo_point",
        "half_float",
        "integer",
        "ip",
        "keyword",
        "long",
        "nested",
        "object",
        "short",
        "text",
    }
)
"""Types of the server itself, which need no probe. Seen on the plain 9.2.0 distribution, which has no modules."""

KNOWN_TYPES = (
    SCALARS
    | OBJECTS
    | {
        "aggregate_metric_double",
        "completion",
        "date_range",
        "double_range",
        "flattened",
        "float_range",
        "geo_point",
        "geo_shape",
        "histogram",
        "icu_collation_keyword",
        "integer_range",
        "ip_range",
        "long_range",
        "murmur3",
        "percolator",
        "point",
        "rank_feature",
        "rank_features",
        "shape",
        "sparse_vector",
    }
)
"""Types that an overlay may name: those of the server, its modules and Elastic's own plugins."""

_SUBSTITUTES = {
    "scaled_float": "double",
    # Not long: half of the values would not fit, and their documents would be rejected.
    "unsigned_long": "double",
    "token_count": "integer",
    "icu_collation_keyword": "keyword",
    **dict.fromkeys(_WORDS - ALWAYS_AVAILABLE, "keyword"),
    **dict.fromkeys(_TEXTS - ALWAYS_AVAILABLE, "text"),
}

_SHARED_OPTIONS = frozenset({"index", "doc_values", "store", "coerce", "ignore_malformed", "fields"})
_SUBSTITUTE_OPTIONS = {
    "text": frozenset({"analyzer", "search_analyzer", "index", "store", "norms", "fields"}),
    "keyword": frozenset({"ignore_above", "index", "doc_values", "store", "fields"}),
    "double": _SHARED_OPTIONS,
    "integer": _SHARED_OPTIONS,
}

UNSEARCHED: JsonObject = {"type": "object", "enabled": False}
"""Kept in `_source` and never parsed: accepts any JSON value, also a number or an array."""


def types_of(definition: JsonObject) -> frozenset[str]:
    """The field types in a field's definition, including those of its sub-fields."""
    below = (types_of(sub) for sub in sub_fields(definition).values())
    return frozenset({str(definition["type"])}).union(*below)


def missing_types(definition: JsonObject, available: frozenset[str]) -> frozenset[str]:
    """The field types in a definition that are neither built into the server nor available."""
    return types_of(definition) - ALWAYS_AVAILABLE - available


def substitute(definition: JsonObject, available: frozenset[str]) -> JsonObject:
    """The definition with each missing type replaced by the nearest type that every node has.

    Where nothing is near (`geo_shape`, `flattened`, `dense_vector`), the value is kept in `_source`, not searchable. A
    sub-field, which has no place in `_source`, is left out instead.
    """
    requested = str(definition["type"])
    if requested not in ALWAYS_AVAILABLE | available:
        nearest = _SUBSTITUTES.get(requested)
        if nearest is None:
            return dict(UNSEARCHED)
        kept = _SUBSTITUTE_OPTIONS[nearest]
        definition = {"type": nearest, **{key: value for key, value in definition.items() if key in kept}}
    subs = {name: substitute(sub, available) for name, sub in sub_fields(definition).items()}
    fields: dict[str, Json] = {name: sub for name, sub in subs.items() if sub != UNSEARCHED}
    return {**definition, "fields": fields} if fields else {k: v for k, v in definition.items() if k != "fields"}


def sub_fields(definition: JsonObject) -> dict[str, JsonObject]:
    """The definitions of a field's sub-fields, by name."""
    fields = definition.get("fields")
    return {name: sub for name, sub in fields.items() if isinstance(sub, dict)} if isinstance(fields, dict) else {}
