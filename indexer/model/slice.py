"""Slices: the frozen division of a table into ranges of keys, from one histogram."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from indexer.model.window import Group, Prefix, Prefixes, Range, Window

__all__ = ["Bin", "Slice", "even_slices", "number_slices", "text_slices"]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram of the lead.

    Attributes:
        lo: the smallest lead value in it.
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


def number_slices(bins: Iterable[Bin], *, nulls: int, rows_a_slice: int) -> tuple[Slice, ...]:
    """Neighbouring bins put together to slices of about `rows_a_slice`, and one for the rows without a key.

    The slices are disjoint and cover every value from the first bin's smallest to the last bin's largest.
    """
    parts: list[tuple[Window, int]] = []
    lo: int | None = None
    rows = 0
    for bar in sorted(bins, key=lambda bar: bar.lo):
        lo = bar.lo - 1 if lo is None else lo
        rows += bar.rows
        if rows >= rows_a_slice:
            parts.append((Range(lo, bar.hi), rows))
            lo, rows = bar.hi, 0
        last = bar.hi
    if rows and lo is not None:
        parts.append((Range(lo, last), rows))
    return _numbered(parts, nulls)


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
        parts = [*parts, (Group(None), nulls)]
    return tuple(Slice(number, window, rows) for number, (window, rows) in enumerate(parts))
