"""Walks cover every row exactly once, whatever the keys are: properties, against a table in memory."""

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
from tests.support.memory_table import LEAD, TIE, Lead, MemoryTable, cut, run

SMALLEST, LARGEST = -(2**63), 2**63 - 1

numbers = st.one_of(
    st.integers(SMALLEST, LARGEST),
    st.integers(-20, 20),
    st.sampled_from([SMALLEST, SMALLEST + 1, -1, 0, 1, LARGEST - 1, LARGEST]),
)
texts = st.text(st.sampled_from("ab%_\\\x00é한！\ue000😀𐍈 "), max_size=6) | st.text(max_size=4)
limits = st.integers(1, 9)


def table_of(leads: Sequence[Lead], shuffle: int = 0) -> MemoryTable:
    rows = [(lead, tie) for tie, lead in enumerate(leads)]
    random.Random(shuffle).shuffle(rows)
    return MemoryTable(rows)


def assert_exactly_once(table: MemoryTable, out: list[Row]) -> None:
    assert Counter(map(tuple, out)) == Counter(table.rows)


@given(st.lists(numbers, min_size=1, max_size=60), limits, st.integers(0, 200), st.integers())
def test_a_range_is_covered_exactly_once(leads: list[int], limit: int, rows: int, shuffle: int) -> None:
    table = table_of(leads, shuffle)
    window = Range(min(leads) - 1, max(leads))
    assert_exactly_once(
        table, run(walk_through(window, key_column=LEAD, tiebreakers=(TIE,), limit=limit, rows=rows), table)
    )
    assert max(table.pages) <= limit


@given(st.sets(numbers, min_size=1, max_size=60), limits)
def test_a_range_of_unique_keys_needs_no_ties(leads: set[int], limit: int) -> None:
    table = table_of(sorted(leads))
    window = Range(min(leads) - 1, max(leads))
    assert_exactly_once(table, run(walk_through(window, key_column=LEAD, tiebreakers=(), limit=limit), table))


@given(st.lists(texts, min_size=1, max_size=60), limits)
def test_prefixes_are_covered_exactly_once(leads: list[str], limit: int) -> None:
    table = table_of(leads)
    window = Prefixes((Prefix("", rows=len(leads)),))
    assert_exactly_once(table, run(walk_through(window, key_column=LEAD, tiebreakers=(TIE,), limit=limit), table))
    assert max(table.pages) <= limit


@given(st.lists(texts, min_size=1, max_size=60), limits)
def test_prefixes_are_covered_when_the_census_is_out_of_date(leads: list[str], limit: int) -> None:
    """Rows added since the plan: the counts say one row, the pages overflow."""
    table = table_of(leads)
    window = Prefixes(tuple(Prefix(first, rows=1) for first in sorted({cut(text, 1) for text in leads if text})))
    found = run(walk_through(window, key_column=LEAD, tiebreakers=(TIE,), limit=limit), table)
    assert_exactly_once(MemoryTable([row for row in table.rows if row[LEAD]]), found)


@given(st.sets(texts, min_size=1, max_size=40), limits)
def test_prefixes_of_unique_keys_need_no_ties(leads: set[str], limit: int) -> None:
    table = table_of(sorted(leads))
    window = Prefixes((Prefix("", rows=len(leads)),))
    assert_exactly_once(table, run(walk_through(window, key_column=LEAD, tiebreakers=(), limit=limit), table))


@given(st.integers(0, 60), limits)
def test_null_keys_are_covered_by_their_ties(rows: int, limit: int) -> None:
    leads: list[int | None] = [None] * rows
    table = table_of([*leads, 1, 2])
    found = run(walk_through(TieGroup(None), key_column=LEAD, tiebreakers=(TIE,), limit=limit), table)
    assert Counter(map(tuple, found)) == Counter((None, tie) for tie in range(rows))


@given(st.lists(numbers, max_size=40), limits)
def test_the_slower_strategies_cover_exactly_once(leads: list[int], limit: int) -> None:
    table = table_of(leads)
    for window in (Keyset(), Offset()):
        assert_exactly_once(table, run(walk_through(window, key_column=LEAD, tiebreakers=(TIE,), limit=limit), table))


@given(
    st.lists(numbers, min_size=1, max_size=40) | st.lists(texts, min_size=1, max_size=40), limits, st.integers(0, 30)
)
def test_the_rest_covers_what_was_not_handed_out(leads: list[int] | list[str], limit: int, stop: int) -> None:
    """Stop after any number of questions: what was handed out and what a walk of the rest hands out is everything."""
    table = table_of(leads)
    numbers_only = [lead for lead in leads if isinstance(lead, int)]
    window: Window = (
        Range(min(numbers_only) - 1, max(numbers_only)) if numbers_only else Prefixes((Prefix("", rows=len(leads)),))
    )
    first = walk_through(window, key_column=LEAD, tiebreakers=(TIE,), limit=limit)
    out: list[Row] = []
    for _ in range(stop):
        question = first.next_request()
        if question is None:
            break
        if isinstance(question, PrefixCount):
            first.learn_counts(table.count_prefixes(question))
        else:
            out.extend(first.take(table.page(question)))
    for rest in first.remaining():
        out.extend(run(walk_through(rest, key_column=LEAD, tiebreakers=(TIE,), limit=limit), table))
    assert_exactly_once(table, out)


@given(st.lists(limits, min_size=1, max_size=30), st.lists(numbers, min_size=1, max_size=60))
def test_the_limit_may_change_between_pages(changes: list[int], leads: list[int]) -> None:
    table = table_of(leads)
    way = walk_through(Range(min(leads) - 1, max(leads)), key_column=LEAD, tiebreakers=(TIE,), limit=5)
    out: list[Row] = []
    while (question := way.next_request()) is not None:
        way.limit = changes[len(table.pages) % len(changes)]
        question = way.next_request()
        assert isinstance(question, PageRequest)
        out.extend(way.take(table.page(question)))
    assert_exactly_once(table, out)


def test_a_gap_costs_a_logarithmic_number_of_empty_pages() -> None:
    leads = [*range(5_000), *range(10**15, 10**15 + 5_000)]
    table = table_of(leads)
    assert_exactly_once(
        table, run(walk_through(Range(-1, leads[-1]), key_column=LEAD, tiebreakers=(), limit=1_000, rows=10_000), table)
    )
    assert sum(size == 0 for size in table.pages) < 20
    assert len(table.pages) < 50


def test_pages_come_back_just_under_the_limit() -> None:
    table = table_of(list(range(0, 700_000, 7)))
    run(walk_through(Range(-1, 700_000), key_column=LEAD, tiebreakers=(), limit=1_000, rows=100_000), table)
    full = table.pages[2:-2]
    assert min(full) >= 900
    assert max(full) < 1_000


def test_pages_fill_where_the_plan_misjudged_the_density() -> None:
    table = table_of(list(range(100_000)))
    run(walk_through(Range(-1, 10**12), key_column=LEAD, tiebreakers=(), limit=1_000, rows=100), table)
    assert len(table.pages) < 130


def test_a_full_page_in_no_order_is_asked_for_again_in_order() -> None:
    """It may have been cut off anywhere: none of it is used."""
    way = walk_through(Range(0, 100), key_column=LEAD, tiebreakers=(), limit=5, rows=8)
    assert way.next_request() == PageRequest(Range(0, 50), 5, ordered=True), (
        "the first page shows whether the width is right"
    )
    assert way.take([[10, 0], [20, 1], [50, 2], [50, 3]]) == [[10, 0], [20, 1], [50, 2], [50, 3]]
    assert way.next_request() == PageRequest(Range(50, 100), 5)
    assert way.take([[90, 0], [60, 1], [51, 2], [52, 3], [70, 4]]) == ()
    assert way.remaining() == (Range(50, 100),)
    assert way.next_request() == PageRequest(Range(50, 100), 5, ordered=True)
    page: list[Row] = [[51, 2], [52, 3], [53, 4], [54, 5], [55, 6]]
    assert way.take(page) == page
    assert way.remaining() == (Range(55, 100),)


def test_a_page_out_of_the_order_that_was_asked_for_raises() -> None:
    way = walk_through(Range(0, 100), key_column=LEAD, tiebreakers=(), limit=3, rows=2)
    with pytest.raises(NoProgress, match="asked for"):
        way.take([[10, 1], [50, 2], [30, 3]])


def test_rows_from_outside_the_window_raise() -> None:
    """CrateDB answers every row where a bound overflows; such a page must never be taken for data."""
    way = walk_through(Range(10, 20), key_column=LEAD, tiebreakers=(TIE,), limit=5, rows=10)
    assert way.next_request() is not None
    with pytest.raises(NoProgress, match="asked for"):
        way.take([[3, 0], [4, 1]])


def test_a_page_that_does_not_advance_raises() -> None:
    way = walk_through(TieGroup(1), key_column=LEAD, tiebreakers=(TIE,), limit=2)
    way.take([[1, 5], [1, 6]])
    with pytest.raises(NoProgress, match="key 1 do not advance"):
        way.take([[1, 5], [1, 6]])


def test_a_keyset_page_that_does_not_advance_raises() -> None:
    way = walk_through(Keyset((1, 6)), key_column=LEAD, tiebreakers=(TIE,), limit=2)
    with pytest.raises(NoProgress):
        way.take([[1, 5], [1, 6]])


def bin_of(value: int, width: int) -> int:
    """Towards zero, as SQL divides."""
    return value // width if value >= 0 else -(-value // width)


@given(st.lists(numbers, min_size=1, max_size=80), st.integers(1, 30), st.integers(0, 3))
def test_number_slices_cover_every_value_once(leads: list[int], rows_a_slice: int, nulls: int) -> None:
    width = 1024
    groups: dict[int, list[int]] = {}
    for lead in leads:
        groups.setdefault(bin_of(lead, width), []).append(lead)
    bins = [Bin(min(group), max(group), len(group)) for group in groups.values()]
    slices = number_slices(bins, width=width, nulls=nulls, rows_a_slice=rows_a_slice)
    ranges = [s.window for s in slices if isinstance(s.window, Range)]
    # Whatever is added later, bins of this width or a half of it lie within one slice.
    assert all(bin_of(one.hi, width // 2) != bin_of(one.hi + 1, width // 2) for one in ranges[:-1])
    assert all(before.hi == after.lo for before, after in pairwise(ranges))
    assert ranges[0].lo == min(leads) - 1
    assert ranges[-1].hi == max(leads)
    assert sum(s.rows for s in slices) == len(leads) + nulls
    assert [s.number for s in slices] == list(range(len(slices)))
    assert (slices[-1].window == TieGroup(None)) == bool(nulls)
    for s in slices:
        if isinstance(s.window, Range):
            assert sum(s.window.lo < lead <= s.window.hi for lead in leads) == s.rows


@given(st.lists(texts, min_size=1, max_size=80), st.integers(1, 30))
def test_text_slices_hold_every_prefix_once(leads: list[str], rows_a_slice: int) -> None:
    counts = {first: sum(cut(text, 1) == first for text in leads) for first in {cut(text, 1) for text in leads}}
    prefixes = [Prefix(text, exact=utf16_units(text) < 1, rows=rows) for text, rows in sorted(counts.items())]
    slices = text_slices(prefixes, nulls=0, rows_a_slice=rows_a_slice)
    together = [prefix for s in slices if isinstance(s.window, Prefixes) for prefix in s.window.prefixes]
    assert together == prefixes
    assert sum(s.rows for s in slices) == len(leads)
