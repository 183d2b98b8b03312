"""Slices: the frozen division of a table into ranges of keys, from one histogram."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from indexer.model.paging.window import Prefix, Prefixes, Range, TieGroup, Window

__all__ = ["Bin", "Slice", "bin_width", "even_slices", "number_slices", "text_slices"]

_BINS: Final = 4096
"""Bars of a histogram, at least: many more than slices, so that slices come out even where the keys are not."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram of the key column.

    Attributes:
        lo: the smallest key value in it.
        hi: the largest.
        rows: how many rows.
    """

    lo: int
    hi: int
    rows: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the table that one reader walks: the unit of parallelism, checkpoint and verification.

    Attributes:
        number: its place in the plan, from 0.
        window: which rows.
        rows: how many the plan counted.
    """

    number: int
    window: Window
    rows: int


def bin_width(lo: int, hi: int) -> int:
    """The width of a histogram's bins for these values: a power of two, so that bins of a smaller width lie within."""
    return 1 << max(0, ((hi - lo) // _BINS).bit_length() - 1)


def number_slices(bins: Iterable[Bin], *, width: int, nulls: int, rows_a_slice: int) -> tuple[Slice, ...]:
    """Neighbouring bins put together to slices of about `rows_a_slice`, and one for the rows without a key.

    The slices are disjoint and cover every value from the first bin's smallest to the last bin's largest. They end
    where bins end, so that a later histogram counts each of them exactly, whatever was added meanwhile.
    """
    bars = sorted(bins, key=lambda bar: bar.lo)
    ends = [min(_end(bar.hi, width), after.lo - 1) for bar, after in pairwise(bars)] + [bar.hi for bar in bars[-1:]]
    parts: list[tuple[Window, int]] = []
    lo, rows = bars[0].lo - 1 if bars else 0, 0
    for bar, end in zip(bars, ends, strict=True):
        rows += bar.rows
        if rows >= rows_a_slice or bar is bars[-1]:
            parts.append((Range(lo, end), rows))
            lo, rows = end, 0
    return _numbered(parts, nulls)


def _end(value: int, width: int) -> int:
    """The last value of the bin that holds this one: SQL divides towards zero, so that of 0 reaches to both sides."""
    return -(-value // width) * width if value <= -width else (max(value, 0) // width + 1) * width - 1


def even_slices(lo: int, hi: int, count: int) -> tuple[Slice, ...]:
    """The numbers `lo < n <= hi` in at most so many parts of one width, where nobody counted the rows."""
    width = max(1, -(-(hi - lo) // count))
    starts = range(lo, hi, width)
    return tuple(Slice(number, Range(at, min(hi, at + width)), 0) for number, at in enumerate(starts))


def text_slices(prefixes: Sequence[Prefix], *, nulls: int, rows_a_slice: int) -> tuple[Slice, ...]:
    """Prefixes put together to slices of about `rows_a_slice`, and one for the rows without a key."""
    parts: list[tuple[Window, int]] = []
    some: list[Prefix] = []
    rows = 0
    for prefix in prefixes:
        some.append(prefix)
        rows += prefix.rows
        if rows >= rows_a_slice:
            parts.append((Prefixes(tuple(some)), rows))
            some, rows = [], 0
    if some:
        parts.append((Prefixes(tuple(some)), rows))
    return _numbered(parts, nulls)


def _numbered(parts: list[tuple[Window, int]], nulls: int) -> tuple[Slice, ...]:
    if nulls:
        parts = [*parts, (TieGroup(None), nulls)]
    return tuple(Slice(number, window, rows) for number, (window, rows) in enumerate(parts))
