"""Walks cover every row exactly once, for all keys; tested with a table in memory."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.paging.prefix_walk import utf16_units
from indexer.model.paging.slice import Bin, number_slices, text_slices
from indexer.model.paging.walk import walk_through
from indexer.model.paging.window import (
    Keyset,
    Offset,
    PageRequest,
    Prefix,
    PrefixCount,
    Prefixes,
    Range,
    TieGroup,
    Window,
)
from tests.support.memory_table import KEY_COLUMN, TIEBREAKER, KeyValue, MemoryTable, cut, walk_all

SMALLEST, LARGEST = -(2**63), 2**63 - 1

numbers = st.one_of(
    st.integers(SMALLEST, LARGEST),
    st.integers(-20, 20),
    st.sampled_from([SMALLEST, SMALLEST + 1, -1, 0, 1, LARGEST - 1, LARGEST]),
)
texts = st.text(st.sampled_from("ab%_\\\x00é한！\ue000😀𐍈 "), max_size=6) | st.text(max_size=4)
limits = st.integers(1, 9)


def table_of(keys: Sequence[KeyValue], shuffle: int = 0) -> MemoryTable:
    rows = [(key, tie) for tie, key in enumerate(keys)]
    random.Random(shuffle).shuffle(rows)
    return MemoryTable(rows)


def assert_exactly_once(table: MemoryTable, out: list[Row]) -> None:
    assert Counter(map(tuple, out)) == Counter(table.rows)


@given(st.lists(numbers, min_size=1, max_size=60), limits, st.integers(0, 200), st.integers())
def test_a_range_is_covered_exactly_once(keys: list[int], limit: int, rows: int, shuffle: int) -> None:
    table = table_of(keys, shuffle)
    window = Range(min(keys) - 1, max(keys))
    assert_exactly_once(
        table,
        walk_all(walk_through(window, key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit, rows=rows), table),
    )
    assert max(table.pages) <= limit


@given(st.sets(numbers, min_size=1, max_size=60), limits)
def test_a_range_of_unique_keys_needs_no_tiebreakers(keys: set[int], limit: int) -> None:
    table = table_of(sorted(keys))
    window = Range(min(keys) - 1, max(keys))
    assert_exactly_once(
        table, walk_all(walk_through(window, key_column=KEY_COLUMN, tiebreakers=(), limit=limit), table)
    )


@given(st.lists(texts, min_size=1, max_size=60), limits)
def test_prefixes_are_covered_exactly_once(keys: list[str], limit: int) -> None:
    table = table_of(keys)
    window = Prefixes((Prefix("", rows=len(keys)),))
    assert_exactly_once(
        table, walk_all(walk_through(window, key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit), table)
    )
    assert max(table.pages) <= limit


@given(st.lists(texts, min_size=1, max_size=60), limits)
def test_prefixes_are_covered_when_prefix_counts_are_out_of_date(keys: list[str], limit: int) -> None:
    """Rows were added after planning: the counts say one row per prefix, and pages overflow."""
    table = table_of(keys)
    window = Prefixes(tuple(Prefix(first, rows=1) for first in sorted({cut(text, 1) for text in keys if text})))
    found = walk_all(walk_through(window, key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit), table)
    assert_exactly_once(MemoryTable([row for row in table.rows if row[KEY_COLUMN]]), found)


@given(st.sets(texts, min_size=1, max_size=40), limits)
def test_prefixes_of_unique_keys_need_no_tiebreakers(keys: set[str], limit: int) -> None:
    table = table_of(sorted(keys))
    window = Prefixes((Prefix("", rows=len(keys)),))
    assert_exactly_once(
        table, walk_all(walk_through(window, key_column=KEY_COLUMN, tiebreakers=(), limit=limit), table)
    )


@given(st.integers(0, 60), limits)
def test_null_keys_are_covered_by_tiebreakers(rows: int, limit: int) -> None:
    keys: list[int | None] = [None] * rows
    table = table_of([*keys, 1, 2])
    found = walk_all(walk_through(TieGroup(None), key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit), table)
    assert Counter(map(tuple, found)) == Counter((None, tie) for tie in range(rows))


@given(st.lists(numbers, max_size=40), limits)
def test_keyset_and_offset_cover_every_row_exactly_once(keys: list[int], limit: int) -> None:
    table = table_of(keys)
    for window in (Keyset(), Offset()):
        assert_exactly_once(
            table, walk_all(walk_through(window, key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit), table)
        )


@given(
    st.lists(numbers, min_size=1, max_size=40) | st.lists(texts, min_size=1, max_size=40), limits, st.integers(0, 30)
)
def test_the_remaining_windows_cover_the_rows_not_yet_returned(
    keys: list[int] | list[str], limit: int, stop: int
) -> None:
    """Stopped after any number of requests, the rows returned and those of the remaining windows are all rows."""
    table = table_of(keys)
    numbers_only = [key for key in keys if isinstance(key, int)]
    window: Window = (
        Range(min(numbers_only) - 1, max(numbers_only)) if numbers_only else Prefixes((Prefix("", rows=len(keys)),))
    )
    first = walk_through(window, key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit)
    out: list[Row] = []
    for _ in range(stop):
        request = first.next_request()
        if request is None:
            break
        if isinstance(request, PrefixCount):
            first.learn_counts(table.count_prefixes(request))
        else:
            out.extend(first.take(table.page(request)))
    for rest in first.remaining():
        out.extend(walk_all(walk_through(rest, key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=limit), table))
    assert_exactly_once(table, out)


@given(st.lists(limits, min_size=1, max_size=30), st.lists(numbers, min_size=1, max_size=60))
def test_the_limit_may_change_between_pages(changes: list[int], keys: list[int]) -> None:
    table = table_of(keys)
    walk = walk_through(Range(min(keys) - 1, max(keys)), key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=5)
    out: list[Row] = []
    while (request := walk.next_request()) is not None:
        walk.limit = changes[len(table.pages) % len(changes)]
        request = walk.next_request()
        assert isinstance(request, PageRequest)
        out.extend(walk.take(table.page(request)))
    assert_exactly_once(table, out)


def test_a_gap_costs_a_logarithmic_number_of_empty_pages() -> None:
    keys = [*range(5_000), *range(10**15, 10**15 + 5_000)]
    table = table_of(keys)
    assert_exactly_once(
        table,
        walk_all(
            walk_through(Range(-1, keys[-1]), key_column=KEY_COLUMN, tiebreakers=(), limit=1_000, rows=10_000), table
        ),
    )
    assert sum(size == 0 for size in table.pages) < 20
    assert len(table.pages) < 50


def test_pages_are_filled_to_just_under_the_limit() -> None:
    table = table_of(list(range(0, 700_000, 7)))
    walk_all(walk_through(Range(-1, 700_000), key_column=KEY_COLUMN, tiebreakers=(), limit=1_000, rows=100_000), table)
    full = table.pages[2:-2]
    assert min(full) >= 900
    assert max(full) < 1_000


def test_pages_fill_up_even_if_the_planned_density_was_wrong() -> None:
    table = table_of(list(range(100_000)))
    walk_all(walk_through(Range(-1, 10**12), key_column=KEY_COLUMN, tiebreakers=(), limit=1_000, rows=100), table)
    assert len(table.pages) < 130


def test_a_full_unordered_page_is_requested_again_ordered() -> None:
    """A full page may be cut off anywhere, so none of it is used."""
    walk = walk_through(Range(0, 100), key_column=KEY_COLUMN, tiebreakers=(), limit=5, rows=8)
    assert walk.next_request() == PageRequest(Range(0, 50), 5, ordered=True), (
        "the first page shows whether the width is right"
    )
    assert walk.take([[10, 0], [20, 1], [50, 2], [50, 3]]) == [[10, 0], [20, 1], [50, 2], [50, 3]]
    assert walk.next_request() == PageRequest(Range(50, 100), 5)
    assert walk.take([[90, 0], [60, 1], [51, 2], [52, 3], [70, 4]]) == ()
    assert walk.remaining() == (Range(50, 100),)
    assert walk.next_request() == PageRequest(Range(50, 100), 5, ordered=True)
    page: list[Row] = [[51, 2], [52, 3], [53, 4], [54, 5], [55, 6]]
    assert walk.take(page) == page
    assert walk.remaining() == (Range(55, 100),)


def test_an_ordered_page_with_rows_out_of_order_raises() -> None:
    walk = walk_through(Range(0, 100), key_column=KEY_COLUMN, tiebreakers=(), limit=3, rows=2)
    with pytest.raises(NoProgress, match="cannot be trusted"):
        walk.take([[10, 1], [50, 2], [30, 3]])


def test_rows_outside_the_window_raise() -> None:
    """CrateDB returns every row if a bound overflows; such a page must never be accepted."""
    walk = walk_through(Range(10, 20), key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=5, rows=10)
    assert walk.next_request() is not None
    with pytest.raises(NoProgress, match="cannot be trusted"):
        walk.take([[3, 0], [4, 1]])


def test_a_tie_page_that_does_not_advance_raises() -> None:
    walk = walk_through(TieGroup(1), key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=2)
    walk.take([[1, 5], [1, 6]])
    with pytest.raises(NoProgress, match="key 1 do not advance"):
        walk.take([[1, 5], [1, 6]])


def test_a_keyset_page_that_does_not_advance_raises() -> None:
    walk = walk_through(Keyset((1, 6)), key_column=KEY_COLUMN, tiebreakers=(TIEBREAKER,), limit=2)
    with pytest.raises(NoProgress):
        walk.take([[1, 5], [1, 6]])


def bin_of(value: int, width: int) -> int:
    """Integer division towards zero, as in SQL."""
    return value // width if value >= 0 else -(-value // width)


@given(st.lists(numbers, min_size=1, max_size=80), st.integers(1, 30), st.integers(0, 3))
def test_number_slices_cover_every_value_once(keys: list[int], rows_per_slice: int, nulls: int) -> None:
    width = 1024
    groups: dict[int, list[int]] = {}
    for key in keys:
        groups.setdefault(bin_of(key, width), []).append(key)
    bins = [Bin(min(group), max(group), len(group)) for group in groups.values()]
    slices = number_slices(bins, width=width, nulls=nulls, rows_per_slice=rows_per_slice)
    ranges = [s.window for s in slices if isinstance(s.window, Range)]
    # Rows added later fall into bins of this width or half of it, which must lie within one slice.
    assert all(bin_of(one.hi, width // 2) != bin_of(one.hi + 1, width // 2) for one in ranges[:-1])
    assert all(before.hi == after.lo for before, after in pairwise(ranges))
    assert ranges[0].lo == min(keys) - 1
    assert ranges[-1].hi == max(keys)
    assert sum(s.rows for s in slices) == len(keys) + nulls
    assert [s.number for s in slices] == list(range(len(slices)))
    assert (slices[-1].window == TieGroup(None)) == bool(nulls)
    for s in slices:
        if isinstance(s.window, Range):
            assert sum(s.window.lo < key <= s.window.hi for key in keys) == s.rows


@given(st.lists(texts, min_size=1, max_size=80), st.integers(1, 30))
def test_text_slices_hold_every_prefix_once(keys: list[str], rows_per_slice: int) -> None:
    counts = {first: sum(cut(text, 1) == first for text in keys) for first in {cut(text, 1) for text in keys}}
    prefixes = [Prefix(text, exact=utf16_units(text) < 1, rows=rows) for text, rows in sorted(counts.items())]
    slices = text_slices(prefixes, nulls=0, rows_per_slice=rows_per_slice)
    together = [prefix for s in slices if isinstance(s.window, Prefixes) for prefix in s.window.prefixes]
    assert together == prefixes
    assert sum(s.rows for s in slices) == len(keys)
