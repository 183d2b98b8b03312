"""Elasticsearch's field types: which there are, which every node has, and what stands in for one that is missing."""

from indexer.model.json import Json, JsonObject

__all__ = ["ALWAYS", "KNOWN", "NUMBERS", "OBJECTS", "SCALARS", "missing_types", "stand_in", "sub_fields", "types_of"]

NUMBERS = frozenset(
    {
        "byte",
        "short",
        "integer",
        "long",
        "unsigned_long",
        "half_float",
        "float",
        "double",
        "scaled_float",
    }
)
"""Types that refuse NaN and the infinities."""

OBJECTS = frozenset({"object", "nested"})
"""Types whose sub-fields are mapped one by one."""

_TEXTS = frozenset({"text", "match_only_text", "search_as_you_type", "annotated_text", "semantic_text"})
_WORDS = frozenset({"keyword", "wildcard", "constant_keyword", "counted_keyword", "version"})
_DATES = frozenset({"date", "date_nanos"})

SCALARS = NUMBERS | _TEXTS | _WORDS | _DATES | {"boolean", "ip", "binary", "token_count", "dense_vector"}
"""Types that take a value or an array of values, never a JSON object."""

ALWAYS = frozenset(
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
"""Types of the server itself: no node is asked for them. Seen on the plain 9.2.0 distribution, which has no modules."""

KNOWN = (
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
"""Types that an overlay may name: those of the server, of its modules and of Elastic's own plugins."""

_STAND_INS = {
    "scaled_float": "double",
    # Not long: half of its values would not fit, and their documents would be rejected.
    "unsigned_long": "double",
    "token_count": "integer",
    "icu_collation_keyword": "keyword",
    **dict.fromkeys(_WORDS - ALWAYS, "keyword"),
    **dict.fromkeys(_TEXTS - ALWAYS, "text"),
}

_SHARED_OPTIONS = frozenset({"index", "doc_values", "store", "coerce", "ignore_malformed", "fields"})
_STAND_IN_OPTIONS = {
    "text": frozenset({"analyzer", "search_analyzer", "index", "store", "norms", "fields"}),
    "keyword": frozenset({"ignore_above", "index", "doc_values", "store", "fields"}),
    "double": _SHARED_OPTIONS,
    "integer": _SHARED_OPTIONS,
}

UNSEARCHED: JsonObject = {"type": "object", "enabled": False}
"""Kept in `_source`, never parsed: takes any JSON value, also a number or an array."""


def types_of(definition: JsonObject) -> frozenset[str]:
    """The field types that a field's definition names, with those of its sub-fields."""
    below = (types_of(sub) for sub in sub_fields(definition).values())
    return frozenset({str(definition["type"])}).union(*below)


def missing_types(definition: JsonObject, available: frozenset[str]) -> frozenset[str]:
    """The field types that a definition names and that are neither in the server itself nor available."""
    return types_of(definition) - ALWAYS - available


def stand_in(definition: JsonObject, available: frozenset[str]) -> JsonObject:
    """The definition with its missing types replaced by the nearest that every node has.

    Where nothing is near (`geo_shape`, `flattened`, `dense_vector`), the value is kept in `_source`, unsearched;
    a sub-field, which has no place in `_source`, is left out then.
    """
    wanted = str(definition["type"])
    if wanted not in ALWAYS | available:
        nearest = _STAND_INS.get(wanted)
        if nearest is None:
            return dict(UNSEARCHED)
        kept = _STAND_IN_OPTIONS[nearest]
        definition = {"type": nearest, **{key: value for key, value in definition.items() if key in kept}}
    subs = {name: stand_in(sub, available) for name, sub in sub_fields(definition).items()}
    fields: dict[str, Json] = {name: sub for name, sub in subs.items() if sub != UNSEARCHED}
    return {**definition, "fields": fields} if fields else {k: v for k, v in definition.items() if k != "fields"}


def sub_fields(definition: JsonObject) -> dict[str, JsonObject]:
    """The definitions of a field's sub-fields, by name."""
    fields = definition.get("fields")
    return {name: sub for name, sub in fields.items() if isinstance(sub, dict)} if isinstance(fields, dict) else {}
