"""Slices: how a table is divided into ranges of keys, by a histogram that is taken once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from indexer.model.paging.window import Prefix, Prefixes, Range, TieGroup, Window

__all__ = ["Bin", "Slice", "bin_width", "even_slices", "number_slices", "text_slices"]

_MIN_BINS: Final = 4096
"""The fewest bins of a histogram: many more than slices, so that slices have similar sizes where keys are uneven."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a histogram of the key column.

    Attributes:
        lo: the smallest key value in the bin.
        hi: the largest key value in the bin.
        rows: the number of rows.
    """

    lo: int
    hi: int
    rows: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the table that one reader walks: the unit of parallelism, checkpoint and verification.

    Attributes:
        number: its index in the plan, from 0.
        window: the rows it covers.
        rows: how many rows the plan counted.
    """

    number: int
    window: Window
    rows: int


def bin_width(lo: int, hi: int) -> int:
    """The width of a histogram's bins: a power of two, so that bins of a smaller width never cross its bounds."""
    return 1 << max(0, ((hi - lo) // _MIN_BINS).bit_length() - 1)


def number_slices(bins: Iterable[Bin], *, width: int, nulls: int, rows_per_slice: int) -> tuple[Slice, ...]:
    """Slices of neighbouring bins with about `rows_per_slice` rows each, and one slice for the rows without a key.

    The slices are disjoint and cover every value from the first bin's smallest to the last bin's largest. They end
    where bins end, so that a later histogram counts each slice exactly, whatever rows were added since.

    Args:
        bins: the histogram.
        width: the width of its bins.
        nulls: the number of rows whose key column is NULL.
        rows_per_slice: the size to aim at.
    """
    ordered = sorted(bins, key=lambda bin_: bin_.lo)
    ends = [min(_bin_end(bin_.hi, width), following.lo - 1) for bin_, following in pairwise(ordered)]
    ends += [bin_.hi for bin_ in ordered[-1:]]
    windows: list[tuple[Window, int]] = []
    lo, rows = ordered[0].lo - 1 if ordered else 0, 0
    for bin_, end in zip(ordered, ends, strict=True):
        rows += bin_.rows
        if rows >= rows_per_slice or bin_ is ordered[-1]:
            windows.append((Range(lo, end), rows))
            lo, rows = end, 0
    return _numbered(windows, nulls)


def _bin_end(value: int, width: int) -> int:
    """The last value of a value's bin. SQL division rounds towards 0, so the bin of 0 extends to both sides."""
    return -(-value // width) * width if value <= -width else (max(value, 0) // width + 1) * width - 1


def even_slices(lo: int, hi: int, count: int) -> tuple[Slice, ...]:
    """At most `count` slices of equal width for the keys `lo < n <= hi`, for a table whose rows are not counted."""
    width = max(1, -(-(hi - lo) // count))
    starts = range(lo, hi, width)
    return tuple(Slice(number, Range(start, min(hi, start + width)), 0) for number, start in enumerate(starts))


def text_slices(prefixes: Sequence[Prefix], *, nulls: int, rows_per_slice: int) -> tuple[Slice, ...]:
    """Slices of prefixes with about `rows_per_slice` rows each, and one slice for the rows without a key."""
    windows: list[tuple[Window, int]] = []
    bundle: list[Prefix] = []
    rows = 0
    for prefix in prefixes:
        bundle.append(prefix)
        rows += prefix.rows
        if rows >= rows_per_slice:
            windows.append((Prefixes(tuple(bundle)), rows))
            bundle, rows = [], 0
    if bundle:
        windows.append((Prefixes(tuple(bundle)), rows))
    return _numbered(windows, nulls)


def _numbered(windows: list[tuple[Window, int]], nulls: int) -> tuple[Slice, ...]:
    if nulls:
        windows = [*windows, (TieGroup(None), nulls)]
    return tuple(Slice(number, window, rows) for number, (window, rows) in enumerate(windows))
