"""What a search found."""

from dataclasses import dataclass

from indexer.model.json import JsonObject

__all__ = ["Found", "Hit"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One document that matched.

    Attributes:
        id: its `_id`.
        score: how well it matched; higher is better.
        source: the document as it was indexed.
    """

    id: str
    score: float
    source: JsonObject


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        total: the exact number of documents that match.
        hits: the best of them, best first.
    """

    total: int
    hits: tuple[Hit, ...]
