"""Hits: documents that matched a search."""

from dataclasses import dataclass, field
from typing import Final

from indexer.model.json import Json, JsonObject

__all__ = ["MARK_END", "MARK_START", "Hit", "SearchResult"]

MARK_START: Final = "\ue000"
MARK_END: Final = "\ue001"
"""Marks around a match in a highlighted text. They are from Unicode's private use area, which logs do not use."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that matched.

    Attributes:
        id: its `_id`.
        score: how well it matched, higher is better; 0 where hits are sorted by fields.
        source: the document as it was indexed.
        highlights: by field, the text with `MARK_START` and `MARK_END` around each match.
        sort_values: the values of the fields that hits are sorted by; empty where they are sorted by score.
    """

    id: str
    score: float
    source: JsonObject
    highlights: dict[str, str] = field(default_factory=dict)
    sort_values: tuple[Json, ...] = ()

    def value(self, name: str) -> Json:
        """The value of a field or sub-field by its dotted name: `attrs.pod`, `message.keyword`; None if it has none."""
        found, value = _lookup(self.source, name)
        if found or "." not in name:
            return value
        parent = self.value(name.rpartition(".")[0])  # a sub-field has its parent's value
        return None if isinstance(parent, dict) else parent


def _lookup(source: JsonObject, name: str) -> tuple[bool, Json]:
    """Whether the document has the name, and its value."""
    if name in source:
        return True, source[name]
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        inner = source.get(".".join(parts[:count]))
        rest = ".".join(parts[count:])
        if isinstance(inner, dict):
            return _lookup(inner, rest)
        if isinstance(inner, list):
            return True, [_lookup(item, rest)[1] for item in inner if isinstance(item, dict)] or None
    return False, None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search.

    Attributes:
        total: the number of documents that match.
        hits: the first of them, in the requested order.
        exact: whether `total` is exact; otherwise at least that many match.
    """

    total: int
    hits: tuple[Hit, ...]
    exact: bool = True
