"""What a search found."""

from dataclasses import dataclass, field
from typing import Final

from indexer.model.json import Json, JsonObject

__all__ = ["MARK_END", "MARK_START", "Hit", "SearchResult"]

MARK_START: Final = "\ue000"
MARK_END: Final = "\ue001"
"""Around what matched in a highlighted text: of Unicode's private use, so that no log means them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One document that matched.

    Attributes:
        id: its `_id`.
        score: how well it matched; higher is better; 0 where the hits are sorted otherwise.
        source: the document as it was indexed.
        order: its place in the sort, the value of each field of it; empty where the hits come best first.
        marked: texts with `MARK_START` and `MARK_END` around what matched, by field.
    """

    id: str
    score: float
    source: JsonObject
    marked: dict[str, str] = field(default_factory=dict)
    order: tuple[Json, ...] = ()

    def value(self, name: str) -> Json:
        """A field's value by its dotted name, also a sub-field's: `attrs.pod`, `message.keyword`; None without one."""
        found, missing = _value(self.source, name)
        if not missing or "." not in name:
            return found
        whole = self.value(name.rpartition(".")[0])
        return None if isinstance(whole, dict) else whole


def _value(source: JsonObject, name: str) -> tuple[Json, bool]:
    """The value, and whether it was not found."""
    if name in source:
        return source[name], False
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        inner = source.get(".".join(parts[:count]))
        if isinstance(inner, dict):
            return _value(inner, ".".join(parts[count:]))
        if isinstance(inner, list):
            return [_value(item, ".".join(parts[count:]))[0] for item in inner if isinstance(item, dict)] or None, False
    return None, True


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        total: the number of documents that match.
        hits: the first of them, in the order that was asked for.
        exact: whether the total is exact; otherwise at least as many match.
    """

    total: int
    hits: tuple[Hit, ...]
    exact: bool = True
