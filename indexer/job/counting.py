"""Counting both sides: an index by the ranges of keys that the source's slices are, and the source by its shards."""

from collections.abc import Mapping, Sequence
from typing import Final

from indexer.model.field import Field
from indexer.model.json import JsonObject
from indexer.model.ledger import Left
from indexer.model.mapping import Mapping as FieldMapping
from indexer.model.selection import Selection
from indexer.model.window import Group, Range
from indexer.source.base import Source
from indexer.target.scan import Snapshot

__all__ = ["count_slices", "key_field", "shard_rows"]

_ORDERED: Final = frozenset({"byte", "short", "integer", "long", "date"})
"""Field types whose ranges hold the same values as the source's."""


def key_field(selection: Selection, mapping: FieldMapping) -> Field | None:
    """The field that holds the key; None where the index does not have it, or within an object."""
    lead = selection.key.lead
    found = (field for field in mapping.fields if field.column == lead and len(lead.path) == 1 and field.type)
    return next(found, None)


def count_slices(snapshot: Snapshot, key: Field | None, slices: Sequence[Left]) -> Mapping[int, int]:
    """How many documents the index holds in the range of keys of each slice.

    Slices that the index cannot be asked for are left out. Text is not asked for: a keyword leaves long values out, and
    its order is another. Then only the whole can be compared.
    """
    if key is None or key.type not in _ORDERED or key.definition.get("index") is False:
        return {}
    asked = {part.number: query for part in slices if (query := _query(key.name, part)) is not None}
    return snapshot.count_each(asked) if asked else {}


def _query(name: str, part: Left) -> JsonObject | None:
    match part.span:
        case Range(lo, hi):
            return {"range": {name: {"gt": lo, "lte": hi}}}
        case Group(None):
            return {"bool": {"must_not": {"exists": {"field": name}}}}
        case _:
            return None


def shard_rows(source: Source, selection: Selection) -> int | None:
    """The rows of the table by `sys.shards`; None where the source has none, or a filter selects among them."""
    return None if selection.where is not None else source.stored_rows(selection.table)
