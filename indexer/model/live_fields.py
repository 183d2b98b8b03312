"""The fields of a live index, as its mapping tells them."""

from collections.abc import Iterator

from indexer.model.json import Json, JsonObject

__all__ = ["live_fields", "prefixed"]


def live_fields(mappings: JsonObject) -> dict[str, JsonObject]:
    """The definitions of all fields and sub-fields by their dotted names: `attrs.pod`, `message.keyword`."""
    return dict(_below(mappings.get("properties"), ""))


def _below(properties: Json, prefix: str) -> Iterator[tuple[str, JsonObject]]:
    if not isinstance(properties, dict):
        return
    for name, definition in properties.items():
        if isinstance(definition, dict):
            yield f"{prefix}{name}", definition
            yield from _below(definition.get("properties"), f"{prefix}{name}.")
            yield from _below(definition.get("fields"), f"{prefix}{name}.")


def prefixed(fields: dict[str, JsonObject]) -> frozenset[str]:
    """The fields that keep a Korean word and its particle together, as `mappings/analysis/standard.yaml` marks them."""
    return frozenset(name for name, definition in fields.items() if "index_prefixes" in definition)
