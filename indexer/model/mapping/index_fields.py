"""The fields of a live index, as its mapping tells them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.table.table import nearest

__all__ = ["DATES", "TEXTS", "IndexFields", "read_index_fields"]

TEXTS: Final = frozenset({"text", "match_only_text"})
DATES: Final = frozenset({"date", "date_nanos"})
_OPEN: Final = frozenset({"flattened"})
"""Types whose keys can be asked for without being in the mapping."""

_NO_VALUES: Final = frozenset({"object", "nested", "binary", "geo_shape", "dense_vector"})
"""Types that cannot be sorted by or counted."""


@dataclass(frozen=True, slots=True)
class IndexFields:
    """What an index, or the indexes behind an alias, can be asked for.

    Attributes:
        definitions: the definitions of all fields and sub-fields by their dotted names: `attrs.pod`, `message.keyword`.
        meta: the mapping's `_meta`.
        where: the alias, for messages.
    """

    definitions: dict[str, JsonObject]
    meta: JsonObject = field(default_factory=dict)
    where: str = "the index"

    def type(self, name: str) -> str:
        """A field's type; `keyword` for a key of a flattened one.

        Raises:
            UsageError: where there is no such field; names the nearest.
        """
        definition = self.definitions.get(name)
        if definition is not None:
            return str(definition.get("type", "object"))
        if self.holds(name):
            return "keyword"
        raise UsageError(f"{self.where} has no field {name}: correct the name.{nearest(name, self.definitions)}")

    def holds(self, name: str) -> bool:
        """Whether a field can be asked for by this name."""
        parts = name.split(".")
        above = (".".join(parts[:count]) for count in range(1, len(parts)))
        return name in self.definitions or any(self._type(outer) in _OPEN for outer in above)

    def exact(self, name: str, option: str) -> str:
        """The field itself, where it can be sorted by and counted.

        Raises:
            UsageError: where there is no such field, or it holds text or nothing that has an order.
        """
        kind = self.type(name)
        if kind in TEXTS:
            exact = self.keyword(name)
            remedy = f"use {exact}" if exact else "give it a sub-field keyword in the mapping file and reindex"
            raise UsageError(f"{option} {name}: {name} is text, which is kept as its words: {remedy}.")
        if kind in _NO_VALUES or self.definitions.get(name, {}).get("doc_values") is False:
            raise UsageError(f"{option} {name}: {name} ({kind}) cannot be sorted by or counted: name another field.")
        return name

    def keyword(self, name: str) -> str | None:
        """The exact sub-field of a text field, where it has one."""
        return next((sub for sub in self._below(name) if self._type(sub) == "keyword"), None)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text fields: what a word without a field is asked of."""
        return tuple(name for name in self.definitions if self._type(name) in TEXTS and not self._is_sub(name))

    @property
    def prefixed(self) -> frozenset[str]:
        """The fields that keep a Korean word and its particle together, see `mappings/analysis/standard.yaml`."""
        return frozenset(name for name, definition in self.definitions.items() if "index_prefixes" in definition)

    def _type(self, name: str) -> str | None:
        definition = self.definitions.get(name)
        return None if definition is None else str(definition.get("type", "object"))

    def _below(self, name: str) -> Iterator[str]:
        subs = self.definitions[name].get("fields")
        return (f"{name}.{sub}" for sub in (subs if isinstance(subs, dict) else ()))

    def _is_sub(self, name: str) -> bool:
        outer, _, own = name.rpartition(".")
        subs = self.definitions.get(outer, {}).get("fields")
        return isinstance(subs, dict) and own in subs


def read_index_fields(mappings: Iterable[JsonObject], where: str = "the index") -> IndexFields:
    """Read the mappings of the indexes behind an alias; of two that differ, the later wins."""
    definitions: dict[str, JsonObject] = {}
    meta: JsonObject = {}
    for mapping in mappings:
        definitions.update(_walk(mapping.get("properties"), ""))
        own = mapping.get("_meta")
        meta.update(own if isinstance(own, dict) else {})
    return IndexFields(definitions, meta, where)


def _walk(properties: Json, prefix: str) -> Iterator[tuple[str, JsonObject]]:
    if not isinstance(properties, dict):
        return
    for name, definition in properties.items():
        if isinstance(definition, dict):
            yield f"{prefix}{name}", definition
            yield from _walk(definition.get("properties"), f"{prefix}{name}.")
            yield from _walk(definition.get("fields"), f"{prefix}{name}.")
