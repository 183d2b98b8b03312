"""Counts of both sides: the index by the key ranges of the slices, and the source by slices and by shards."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final

from indexer.model.job.checkpoint import SliceProgress
from indexer.model.json import JsonObject
from indexer.model.mapping.field import Field
from indexer.model.mapping.mapping import IndexMapping as FieldMapping
from indexer.model.paging.prefix_walk import utf16_units
from indexer.model.paging.slice import bin_width
from indexer.model.paging.window import Keyset, Offset, Prefix, PrefixCount, Prefixes, Range, TieGroup
from indexer.model.table.selection import Selection
from indexer.sink.snapshot import Snapshot
from indexer.source.protocol import Bounds, Reader, Source

__all__ = ["RowCounts", "count_rows", "count_slices", "key_field", "key_ranges", "shard_rows"]

_ORDERED: Final = frozenset({"byte", "short", "integer", "long", "date"})
"""Field types that order values as the source does."""

_RANGES: Final = 8
"""Key ranges that an index is read in: few, so that most of their pages hold documents that were written in sequence.

Elasticsearch reads those at a third of the cost of others (docs/servers.md), and slices that were loaded together are
interleaved.
"""


def key_field(selection: Selection, mapping: FieldMapping) -> Field | None:
    """The field that holds the key; None where the index does not have it, or within an object."""
    key_column = selection.key.column
    found = (
        field for field in mapping.fields if field.column == key_column and len(key_column.path) == 1 and field.type
    )
    return next(found, None)


def count_slices(snapshot: Snapshot, key: Field | None, slices: Sequence[SliceProgress]) -> Mapping[int, int]:
    """The number of documents in the key range of each slice, by its number.

    Slices that the index cannot count are left out. Text is not counted: a keyword leaves long values out, and has
    another order. Then only the totals can be compared.
    """
    if key is None or not _is_ordered(key):
        return {}
    queries = {each.number: query for each in slices if (query := _query(key.name, each)) is not None}
    return snapshot.count_each(queries) if queries else {}


def key_ranges(key: Field | None, slices: Sequence[SliceProgress]) -> Sequence[JsonObject]:
    """Queries that together find every document, in the order of the key: each covers some neighbouring slices.

    The first and the last are open-ended, to find extra documents there; then come the documents without a key. Where
    the index cannot count slices (see `count_slices`), one query finds all.
    """
    if key is None or not _is_ordered(key):
        return [{"match_all": {}}]
    ends = [each.span.hi for each in slices if isinstance(each.span, Range)]
    together = max(1, ceil(len(ends) / _RANGES))
    cuts = ends[together - 1 : -1 : together]
    within = [_between(key.name, lo, hi) for lo, hi in pairwise([None, *cuts, None])]
    return [*within, _without(key.name)]


def _between(name: str, lo: int | None, hi: int | None) -> JsonObject:
    ends: JsonObject = {}
    if lo is not None:
        ends["gt"] = lo
    if hi is not None:
        ends["lte"] = hi
    return {"range": {name: ends}}


def _without(name: str) -> JsonObject:
    return {"bool": {"must_not": {"exists": {"field": name}}}}


def _is_ordered(key: Field) -> bool:
    return key.type in _ORDERED and key.definition.get("index") is not False


def _query(name: str, progress: SliceProgress) -> JsonObject | None:
    match progress.span:
        case Range(lo, hi):
            return _between(name, lo, hi)
        case TieGroup(None):
            return _without(name)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What a source holds at one moment.

    Attributes:
        all: the rows in all.
        each: the rows of each slice that was counted, by its number.
    """

    all: int
    each: Mapping[int, int]


def count_rows(
    source: Source, selection: Selection, slices: Sequence[SliceProgress], numbers: Collection[int]
) -> RowCounts:
    """Count the source, in all and by slice: ranges by one histogram, text by a query for each prefix.

    Args:
        source: where the rows are.
        selection: what is read, by which key.
        slices: all slices of one reading.
        numbers: the numbers of those to count.
    """
    bounds = source.bounds(selection)
    ranges = [(each.number, each.span) for each in slices if isinstance(each.span, Range)]
    others = [each for each in slices if each.number in numbers and not isinstance(each.span, Range)]
    counts = {each.number: _rows(source, selection, each, bounds) for each in others}
    if not ranges or not numbers:
        return RowCounts(bounds.rows, counts)
    rows, in_ranges = _histogram(source, selection, ranges)
    return RowCounts(rows + bounds.nulls, {**counts, **in_ranges})


def _histogram(
    source: Source, selection: Selection, ranges: Sequence[tuple[int, Range]]
) -> tuple[int, Mapping[int, int]]:
    """The rows with a key, and those of each range."""
    ordered = sorted(ranges, key=lambda numbered: numbered[1].hi)
    ends = [span.hi for _, span in ordered]
    # Half as wide as the bins that the slices were cut by, so that each lies within one slice.
    bins = source.bins(selection, max(1, bin_width(min(span.lo for _, span in ranges), ends[-1]) // 2))
    each = Counter({number: 0 for number, _ in ranges})
    for bar in bins:
        place = bisect_left(ends, bar.hi)
        if place < len(ordered) and ordered[place][1].lo < bar.lo:
            each[ordered[place][0]] += bar.rows
    return sum(bar.rows for bar in bins), each


def _rows(source: Source, selection: Selection, progress: SliceProgress, bounds: Bounds) -> int:
    match progress.span:
        case Prefixes(prefixes):
            reader = source.reader(selection)
            try:
                return sum(_below(reader, prefix) for prefix in prefixes)
            finally:
                reader.close()
        case TieGroup():
            return bounds.nulls
        case Keyset():
            return bounds.rows - bounds.nulls
        case Offset() | Range():
            return bounds.rows


def _below(reader: Reader, prefix: Prefix) -> int:
    counts = reader.count_prefixes(PrefixCount(prefix.text, utf16_units(prefix.text) + 1))
    return sum(rows for text, rows in counts if not prefix.exact or text == prefix.text)


def shard_rows(source: Source, selection: Selection) -> int | None:
    """The rows of the table by `sys.shards`; None where the source has none, or a filter selects among them."""
    return None if selection.where is not None else source.stored_rows(selection.table)
