"""Slices: a table divided into ranges of keys, frozen when a job is planned, a pass begins or an index is verified."""

from math import ceil
from typing import Final

from indexer.job.counts import shard_rows
from indexer.model.job.checkpoint import SliceProgress, unread
from indexer.model.paging.prefix_walk import to_prefixes, utf16_units
from indexer.model.paging.slice import Slice, bin_width, number_slices, text_slices
from indexer.model.paging.window import Keyset, Offset, Prefix, PrefixCount, TieGroup
from indexer.model.table.key import KeyOrder
from indexer.model.table.selection import Selection
from indexer.settings import Strategy
from indexer.source.protocol import Bounds, Reader, Source

__all__ = ["freeze_slices", "slice_table"]

_SLICES: Final = 256
"""Slices of a table, at most: enough to share out, few enough for a checkpoint."""

_PAGES_A_SLICE: Final = 8
"""Pages of a slice, at least, so that windows find their width once and keep it."""

_DEPTH: Final = 16
"""Characters of a common beginning that are looked behind for slices, at most; the walks continue from there."""

_COUNTS: Final = 3
"""How often a table is divided whose shards report more rows than were counted: rows may be deleted just then, too."""


def slice_table(source: Source, selection: Selection, strategy: Strategy, page: int) -> tuple[Slice, ...]:
    """Count the rows, and freeze the slices that they are read in.

    Args:
        source: where the rows are.
        selection: what is read, by which key.
        strategy: how pages advance.
        page: rows of a page, at most.

    Raises:
        UsageError: where the source cannot parse `--where`.
    """
    bounds = source.bounds(selection)
    if strategy is Strategy.OFFSET:
        return (Slice(0, Offset(), bounds.rows),)
    if strategy is Strategy.KEYSET or not source.has_flat_windows(selection.key.column):
        return _whole(bounds)
    rows_per_slice = max(page * _PAGES_A_SLICE, ceil(bounds.rows / _SLICES))
    if selection.key.order is KeyOrder.TEXT:
        return _text(source, selection, bounds, rows_per_slice)
    return _numbers(source, selection, bounds, rows_per_slice)


def _whole(bounds: Bounds) -> tuple[Slice, ...]:
    keyed = Slice(0, Keyset(), bounds.rows - bounds.nulls)
    return (keyed, Slice(1, TieGroup(None), bounds.nulls)) if bounds.nulls else (keyed,)


def _numbers(source: Source, selection: Selection, bounds: Bounds, rows_per_slice: int) -> tuple[Slice, ...]:
    if bounds.lo is None or bounds.hi is None:
        return number_slices((), width=1, nulls=bounds.nulls, rows_per_slice=rows_per_slice)
    width = bin_width(bounds.lo, bounds.hi)
    bins = source.bins(selection, width)
    return number_slices(bins, width=width, nulls=bounds.nulls, rows_per_slice=rows_per_slice)


def _text(source: Source, selection: Selection, bounds: Bounds, rows_per_slice: int) -> tuple[Slice, ...]:
    reader = source.reader(selection)
    try:
        prefixes = _refined(reader, (Prefix("", rows=bounds.rows - bounds.nulls),), rows_per_slice)
    finally:
        reader.close()
    return text_slices(prefixes, nulls=bounds.nulls, rows_per_slice=rows_per_slice)


def _refined(reader: Reader, prefixes: tuple[Prefix, ...], rows_per_slice: int) -> tuple[Prefix, ...]:
    """Replace each prefix that holds more than a slice by longer ones: keys often begin alike."""
    for _ in range(_DEPTH):
        if all(prefix.exact or prefix.rows <= rows_per_slice for prefix in prefixes):
            break
        prefixes = tuple(child for prefix in prefixes for child in _children(reader, prefix, rows_per_slice))
    return prefixes


def _children(reader: Reader, prefix: Prefix, rows_per_slice: int) -> tuple[Prefix, ...]:
    if prefix.exact or prefix.rows <= rows_per_slice:
        return (prefix,)
    units = utf16_units(prefix.text) + 1
    return to_prefixes(reader.count_prefixes(PrefixCount(prefix.text, units)), units)


def freeze_slices(source: Source, selection: Selection, strategy: Strategy, page: int) -> tuple[SliceProgress, ...]:
    """All of the table in slices, unread; they hold no fewer rows than its shards, one of which may be unavailable.

    Args, Raises: as `slice_table`.
    """
    for _ in range(_COUNTS):
        stored = shard_rows(source, selection) or 0
        slices = unread(slice_table(source, selection, strategy, page))
        if sum(progress.rows for progress in slices) >= stored:
            break
    return slices
