"""How a live index differs from what the overlay wants now, and whether that needs a reindex."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import read_index_fields

__all__ = ["MappingDifference", "mapping_differences"]

_IN_PLACE: Final = frozenset({"ignore_above", "search_analyzer", "search_quote_analyzer", "eager_global_ordinals"})
"""Parameters that `PUT <index>/_mapping` changes for what is indexed from then on, or for the search alone."""

_STATIC: Final = frozenset({"number_of_shards", "analysis", "sort", "codec", "mode", "routing_partition_size"})
"""Index settings that are fixed when an index is made; all others are changed while it is served."""

_STRUCTURE: Final = frozenset({"properties", "fields", "dynamic"})


@dataclass(frozen=True, slots=True)
class MappingDifference:
    """One thing that is not as the overlay wants it.

    Attributes:
        name: the field or the setting.
        wanted: what the overlay and the type rules say, or None where they do not want it.
        live: what the index has, or None where it has nothing.
        reindex: whether only a reindex brings it about.
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
        live: those that the index has.
        wanted_settings: the `settings` that a new index would get.
        live_settings: those that the index has, likewise nested and without the prefix `index.`.
    """
    return (*_fields(wanted, live), *_settings(wanted_settings, live_settings))


def _fields(wanted: JsonObject, live: JsonObject) -> Iterator[MappingDifference]:
    here, there = read_index_fields([wanted]).definitions, read_index_fields([live]).definitions
    for name, definition in here.items():
        if name not in there:
            yield MappingDifference(name, _type(definition), None, reindex=True)
        else:
            yield from _parameters(name, definition, there[name])
    for name in there.keys() - here.keys():
        if not _came_by_itself(name, here):
            yield MappingDifference(name, None, _type(there[name]), reindex=True)


def _came_by_itself(name: str, here: dict[str, JsonObject]) -> bool:
    """Whether a document brought this field into an object that takes new keys."""
    parts = name.split(".")
    above = (here.get(".".join(parts[:count]), {}) for count in range(1, len(parts)))
    return any(outer.get("dynamic") in (True, "true") for outer in above)


def _parameters(field: str, wanted: JsonObject, live: JsonObject) -> Iterator[MappingDifference]:
    here, there = _plain(wanted), _plain(live)
    for name in sorted(here.keys() | there.keys()):
        if here.get(name) != there.get(name):
            yield MappingDifference(f"{field}: {name}", here.get(name), there.get(name), reindex=name not in _IN_PLACE)


def _plain(definition: JsonObject) -> dict[str, str]:
    """Parameters as the server spells them: all values as text, and an object without its type."""
    given = {name: value for name, value in definition.items() if name not in _STRUCTURE}
    if given.get("type") == "object" and given.get("enabled") is not False:
        del given["type"]
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _type(definition: JsonObject) -> Json:
    return definition.get("type", "object")


def _settings(wanted: JsonObject, live: JsonObject) -> Iterator[MappingDifference]:
    here, there = dict(_flat(wanted, "")), dict(_flat(live, ""))
    for name, value in here.items():
        if value != there.get(name):
            yield MappingDifference(name, value, there.get(name), reindex=name.partition(".")[0] in _STATIC)


def _flat(settings: Json, prefix: str) -> Iterator[tuple[str, str]]:
    if not isinstance(settings, dict):
        yield prefix[:-1], str(settings).lower() if isinstance(settings, bool) else str(settings)
        return
    for name, value in settings.items():
        yield from _flat(value, f"{prefix}{name}.")
