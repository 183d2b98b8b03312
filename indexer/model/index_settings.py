"""The settings of the new index: the overlay's, the analyzers that its fields use, and limits that fit the table."""

from collections.abc import Iterable

from indexer.model.field import Field
from indexer.model.json import Json, JsonObject

__all__ = ["index_settings"]

_DEFAULT_FIELD_LIMIT = 1000
_HIDES_VECTORS = (9, 2)
"""From this version on, Elasticsearch leaves vectors out of the `_source` that it returns."""


def index_settings(
    given: JsonObject, analysis: Iterable[JsonObject], fields: Iterable[Field], version: str
) -> JsonObject:
    """Compose the settings; what the overlay gives wins.

    Args:
        given: the overlay's settings, nested and without the prefix `index.`.
        analysis: parts of `analysis` that define the analyzers in use.
        fields: the fields of the mapping.
        version: the cluster's version, `9.2.0`.
    """
    settings: JsonObject = {}
    for part in analysis:
        settings = _over(settings, {"analysis": part} if part else {})
    limits = _limits(tuple(fields), version)
    return _over(_over(settings, {"mapping": limits} if limits else {}), given)


def _limits(fields: tuple[Field, ...], version: str) -> JsonObject:
    limits: JsonObject = {}
    total: JsonObject = {}
    count = sum(_size(field.definition) for field in fields)
    if 2 * count > _DEFAULT_FIELD_LIMIT:
        total["limit"] = _DEFAULT_FIELD_LIMIT + count
    if any(field.definition.get("dynamic") in (True, "true") for field in fields):
        # Beyond the limit, a new key is kept in `_source` and not searched; without this, its document is rejected.
        total["ignore_dynamic_beyond_limit"] = True
    if total:
        limits["total_fields"] = total
    if any(field.type == "dense_vector" for field in fields) and _numbers(version) >= _HIDES_VECTORS:
        limits["exclude_source_vectors"] = False
    return limits


def _size(definition: JsonObject) -> int:
    subs = definition.get("fields")
    return 1 + (len(subs) if isinstance(subs, dict) else 0)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _over(under: JsonObject, over: JsonObject) -> JsonObject:
    """Both, merged at every level; `over` wins."""
    merged: dict[str, Json] = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
