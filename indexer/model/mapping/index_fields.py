"""The fields of a live index, read from its mapping."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from indexer.errors import UsageError, did_you_mean
from indexer.model.json import Json, JsonObject

__all__ = ["TEXTS", "IndexFields", "read_index_fields"]

TEXTS: Final = frozenset({"text", "match_only_text"})
_UNMAPPED_KEYS: Final = frozenset({"flattened"})
"""Types whose keys can be searched without being in the mapping."""

_UNSORTABLE: Final = frozenset({"object", "nested", "binary", "geo_shape", "dense_vector"})
"""Types that can be neither sorted by nor counted."""


@dataclass(frozen=True, slots=True)
class IndexFields:
    """What can be searched in an index, or in the indexes behind an alias.

    Attributes:
        definitions: the definitions of all fields and sub-fields by dotted name: `attrs.pod`, `message.keyword`.
        meta: the mapping's `_meta`.
        where: the alias, for messages.
    """

    definitions: dict[str, JsonObject]
    meta: JsonObject = field(default_factory=dict)
    where: str = "the index"

    def type(self, name: str) -> str:
        """A field's type; `keyword` for a key of a flattened field.

        Raises:
            UsageError: if there is no such field; the message suggests similar names.
        """
        definition = self.definitions.get(name)
        if definition is not None:
            return str(definition.get("type", "object"))
        if self.has(name):
            return "keyword"
        raise UsageError(f"{self.where} has no field {name}: correct the name.{did_you_mean(name, self.definitions)}")

    def has(self, name: str) -> bool:
        """Whether a field of this name can be searched."""
        parts = name.split(".")
        outer_names = (".".join(parts[:count]) for count in range(1, len(parts)))
        return name in self.definitions or any(self._type(outer) in _UNMAPPED_KEYS for outer in outer_names)

    def sortable(self, name: str, option: str) -> str:
        """The field's own name, once it is certain that it can be sorted by and counted.

        Raises:
            UsageError: if there is no such field, or it holds text or values without an order; the message begins with
                the option.
        """
        kind = self.type(name)
        if kind in TEXTS:
            keyword = self.keyword(name)
            remedy = f"use {keyword}" if keyword else "give it a sub-field keyword in the mapping file and reindex"
            raise UsageError(f"{option} {name}: {name} is text, which is indexed word by word: {remedy}.")
        if kind in _UNSORTABLE or self.definitions.get(name, {}).get("doc_values") is False:
            raise UsageError(f"{option} {name}: {name} ({kind}) cannot be sorted by or counted: name another field.")
        return name

    def keyword(self, name: str) -> str | None:
        """The keyword sub-field of a text field, or None if it has none."""
        return next((sub for sub in self._sub_fields(name) if self._type(sub) == "keyword"), None)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text fields: where a word without a field is searched."""
        return tuple(name for name in self.definitions if self._type(name) in TEXTS and not self.is_sub_field(name))

    @property
    def prefixed(self) -> frozenset[str]:
        """The fields that index a Korean word and its particle as one term, see `mappings/analysis/standard.yaml`."""
        return frozenset(name for name, definition in self.definitions.items() if "index_prefixes" in definition)

    def is_sub_field(self, name: str) -> bool:
        """Whether the name is that of a sub-field, such as `message.keyword`, which `_source` does not have."""
        outer, _, own = name.rpartition(".")
        subs = self.definitions.get(outer, {}).get("fields")
        return isinstance(subs, dict) and own in subs

    def _type(self, name: str) -> str | None:
        definition = self.definitions.get(name)
        return None if definition is None else str(definition.get("type", "object"))

    def _sub_fields(self, name: str) -> Iterator[str]:
        subs = self.definitions[name].get("fields")
        return (f"{name}.{sub}" for sub in (subs if isinstance(subs, dict) else ()))


def read_index_fields(mappings: Iterable[JsonObject], where: str = "the index") -> IndexFields:
    """Read the mappings of the indexes behind an alias; where two define one field, the later wins."""
    definitions: dict[str, JsonObject] = {}
    meta: JsonObject = {}
    for mapping in mappings:
        definitions.update(_flattened(mapping.get("properties"), ""))
        own = mapping.get("_meta")
        meta.update(own if isinstance(own, dict) else {})
    return IndexFields(definitions, meta, where)


def _flattened(properties: Json, prefix: str) -> Iterator[tuple[str, JsonObject]]:
    if not isinstance(properties, dict):
        return
    for name, definition in properties.items():
        if isinstance(definition, dict):
            yield f"{prefix}{name}", definition
            yield from _flattened(definition.get("properties"), f"{prefix}{name}.")
            yield from _flattened(definition.get("fields"), f"{prefix}{name}.")
