"""How a live index differs from what its overlay asks for now, and whether that takes a reindex."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import read_index_fields

__all__ = ["MappingDifference", "mapping_differences"]

_CHANGEABLE_PARAMETERS: Final = frozenset(
    {"ignore_above", "search_analyzer", "search_quote_analyzer", "eager_global_ordinals"}
)
"""Parameters that `PUT <index>/_mapping` changes, for documents indexed from then on or for searches alone."""

_STATIC_SETTINGS: Final = frozenset({"number_of_shards", "analysis", "sort", "codec", "mode", "routing_partition_size"})
"""Index settings that are fixed at creation; all others can be changed on a live index."""

_STRUCTURE: Final = frozenset({"properties", "fields", "dynamic"})


@dataclass(frozen=True, slots=True)
class MappingDifference:
    """One difference between a live index and what the overlay asks for.

    Attributes:
        name: the field or setting.
        wanted: what the overlay and the type rules ask for, or None where they do not have it.
        live: what the index has, or None where it does not have it.
        reindex: whether only a reindex can change it.
    """

    name: str
    wanted: Json
    live: Json
    reindex: bool


def mapping_differences(
    wanted: JsonObject, live: JsonObject, wanted_settings: JsonObject, live_settings: JsonObject
) -> tuple[MappingDifference, ...]:
    """Compare mappings and settings.

    Args:
        wanted: the `mappings` that a new index would get.
        live: the `mappings` of the index.
        wanted_settings: the `settings` that a new index would get, nested and without the prefix `index.`.
        live_settings: the `settings` of the index, in the same form.
    """
    return (*_field_differences(wanted, live), *_setting_differences(wanted_settings, live_settings))


def _field_differences(wanted: JsonObject, live: JsonObject) -> Iterator[MappingDifference]:
    wanted_fields, live_fields = read_index_fields([wanted]).definitions, read_index_fields([live]).definitions
    for name, definition in wanted_fields.items():
        if name not in live_fields:
            yield MappingDifference(name, _type(definition), None, reindex=True)
        else:
            yield from _parameter_differences(name, definition, live_fields[name])
    for name in live_fields.keys() - wanted_fields.keys():
        if not _is_dynamic(name, wanted_fields):
            yield MappingDifference(name, None, _type(live_fields[name]), reindex=True)


def _is_dynamic(name: str, wanted: dict[str, JsonObject]) -> bool:
    """Whether the field lies in an object that accepts new keys, so that a document may have added it."""
    parts = name.split(".")
    outer_fields = (wanted.get(".".join(parts[:count]), {}) for count in range(1, len(parts)))
    return any(outer.get("dynamic") in (True, "true") for outer in outer_fields)


def _parameter_differences(field: str, wanted: JsonObject, live: JsonObject) -> Iterator[MappingDifference]:
    wanted_values, live_values = _normalized(wanted), _normalized(live)
    for name in sorted(wanted_values.keys() | live_values.keys()):
        value, live_value = wanted_values.get(name), live_values.get(name)
        if value != live_value:
            reindex = name not in _CHANGEABLE_PARAMETERS
            yield MappingDifference(f"{field}: {name}", value, live_value, reindex=reindex)


def _normalized(definition: JsonObject) -> dict[str, str]:
    """The parameters as the server returns them: every value as text, and an object without its type."""
    given = {name: value for name, value in definition.items() if name not in _STRUCTURE}
    if given.get("type") == "object" and given.get("enabled") is not False:
        del given["type"]
    return {name: _as_text(value) for name, value in given.items()}


def _as_text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(definition: JsonObject) -> Json:
    return definition.get("type", "object")


def _setting_differences(wanted: JsonObject, live: JsonObject) -> Iterator[MappingDifference]:
    live_values = dict(_flattened(live, ""))
    for name, value in _flattened(wanted, ""):
        if value != live_values.get(name):
            reindex = name.partition(".")[0] in _STATIC_SETTINGS
            yield MappingDifference(name, value, live_values.get(name), reindex=reindex)


def _flattened(settings: Json, prefix: str) -> Iterator[tuple[str, str]]:
    if not isinstance(settings, dict):
        yield prefix[:-1], _as_text(settings)
        return
    for name, value in settings.items():
        yield from _flattened(value, f"{prefix}{name}.")
