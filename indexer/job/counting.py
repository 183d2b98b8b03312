"""Counting an index by the ranges of keys that the source's slices are."""

from collections.abc import Iterator, Sequence
from typing import Final

from indexer.job.subject import Subject
from indexer.model.json import JsonObject
from indexer.model.ledger import Left
from indexer.model.window import Group, Range

__all__ = ["key_ranges"]

_ORDERED: Final = frozenset({"byte", "short", "integer", "long", "date"})
"""Field types whose ranges hold the same values as the source's."""


def key_ranges(subject: Subject, slices: Sequence[Left]) -> Iterator[tuple[int, JsonObject]]:
    """For each slice the query for its documents; none where the index cannot be asked by this key.

    Text is not: a keyword leaves long values out, and its order is another. Then only the whole is counted.
    """
    field = subject.lead_field if subject.lead_type in _ORDERED else None
    if field is None:
        return
    for part in slices:
        match part.windows:
            case (Range(lo, hi),):
                yield part.number, {"range": {field: {"gt": lo, "lte": hi}}}
            case (Group(None),):
                yield part.number, {"bool": {"must_not": {"exists": {"field": field}}}}
            case _:
                pass
