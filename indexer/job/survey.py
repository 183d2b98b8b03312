"""Dividing a table into slices: one count, then one histogram."""

from math import ceil
from typing import Final

from indexer.model.key import KeyOrder
from indexer.model.prefix_walk import to_prefixes, utf16_units
from indexer.model.selection import Selection
from indexer.model.slice import Slice, bin_width, number_slices, text_slices
from indexer.model.window import Census, Group, Keyset, Offset, Prefix
from indexer.settings import Strategy
from indexer.source.base import Bounds, Reader, Source

__all__ = ["survey"]

_SLICES: Final = 256
"""At most this many slices: enough to share out, few enough to keep a checkpoint of."""

_PAGES_A_SLICE: Final = 8
"""At least this many pages a slice, so that windows find their width once and keep it."""

_DEPTH: Final = 16
"""How many characters of a common beginning are looked behind for slices; the walks go on from there."""


def survey(source: Source, selection: Selection, strategy: Strategy, page: int) -> tuple[Slice, ...]:
    """Count the rows and freeze the slices.

    Raises:
        Refused: where the source cannot parse `--where`.
    """
    bounds = source.bounds(selection)
    if strategy is Strategy.OFFSET:
        return (Slice(0, Offset(), bounds.rows),)
    if strategy is Strategy.KEYSET or not source.has_flat_windows(selection.key.lead):
        return _whole(bounds)
    rows_a_slice = max(page * _PAGES_A_SLICE, ceil(bounds.rows / _SLICES))
    if selection.key.order is KeyOrder.TEXT:
        return _text(source, selection, bounds, rows_a_slice)
    return _numbers(source, selection, bounds, rows_a_slice)


def _whole(bounds: Bounds) -> tuple[Slice, ...]:
    keyed = Slice(0, Keyset(), bounds.rows - bounds.nulls)
    return (keyed, Slice(1, Group(None), bounds.nulls)) if bounds.nulls else (keyed,)


def _numbers(source: Source, selection: Selection, bounds: Bounds, rows_a_slice: int) -> tuple[Slice, ...]:
    if bounds.lo is None or bounds.hi is None:
        return number_slices((), width=1, nulls=bounds.nulls, rows_a_slice=rows_a_slice)
    width = bin_width(bounds.lo, bounds.hi)
    bins = source.bins(selection, width)
    return number_slices(bins, width=width, nulls=bounds.nulls, rows_a_slice=rows_a_slice)


def _text(source: Source, selection: Selection, bounds: Bounds, rows_a_slice: int) -> tuple[Slice, ...]:
    reader = source.reader(selection)
    try:
        prefixes = _refined(reader, (Prefix("", rows=bounds.rows - bounds.nulls),), rows_a_slice)
    finally:
        reader.close()
    return text_slices(prefixes, nulls=bounds.nulls, rows_a_slice=rows_a_slice)


def _refined(reader: Reader, prefixes: tuple[Prefix, ...], rows_a_slice: int) -> tuple[Prefix, ...]:
    """Replace each prefix that holds more than a slice by longer ones: keys often begin alike."""
    for _ in range(_DEPTH):
        if all(prefix.exact or prefix.rows <= rows_a_slice for prefix in prefixes):
            break
        prefixes = tuple(child for prefix in prefixes for child in _children(reader, prefix, rows_a_slice))
    return prefixes


def _children(reader: Reader, prefix: Prefix, rows_a_slice: int) -> tuple[Prefix, ...]:
    if prefix.exact or prefix.rows <= rows_a_slice:
        return (prefix,)
    units = utf16_units(prefix.text) + 1
    return to_prefixes(reader.census(Census(prefix.text, units)), units)
