"""The ranges that an index is read by find each document once, in the order of the key."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from indexer.job.counts import key_ranges
from indexer.model.job.checkpoint import SliceProgress, unread
from indexer.model.mapping.field import Field, Origin
from indexer.model.paging.slice import Slice
from indexer.model.paging.window import Range, TieGroup
from indexer.model.table.table import Column, ColumnKind, ColumnType

COLUMN = Column(("n",), ColumnType(ColumnKind.BIGINT))
KEY = Field("n", COLUMN, "long", Origin.RULE, {"type": "long"})
MOST = 9
"""Queries at most, for however many slices."""


def slices(ends: list[int]) -> tuple[SliceProgress, ...]:
    """Slices that end there, and one of the rows without a key."""
    ranges = [Slice(number, Range(lo, hi), 1) for number, (lo, hi) in enumerate(pairwise(ends))]
    return unread([*ranges, Slice(len(ranges), TieGroup(None), 1)])


def finds(query: dict[str, Any], key: int | None) -> bool:
    """Whether Elasticsearch finds a document with this key."""
    if "bool" in query:
        return key is None
    ends = query["range"]["n"]
    return key is not None and ends.get("gt", key - 1) < key <= ends.get("lte", key)


@given(st.sets(st.integers(-1000, 1000), max_size=60), st.none() | st.integers(-1100, 1100))
def test_each_document_is_found_by_one(ends: set[int], key: int | None) -> None:
    queries = key_ranges(KEY, slices(sorted(ends)))
    assert len(queries) <= MOST
    assert sum(finds(query, key) for query in queries) == 1


@given(st.sets(st.integers(-1000, 1000), min_size=2, max_size=60), st.integers(-1100, 1100), st.integers(-1100, 1100))
def test_they_come_in_the_order_of_the_key(ends: set[int], one: int, other: int) -> None:
    queries = key_ranges(KEY, slices(sorted(ends)))
    places = [next(place for place, query in enumerate(queries) if finds(query, key)) for key in sorted((one, other))]
    assert places == sorted(places)


@given(st.integers(2, 8))
def test_a_few_slices_have_each_its_own(count: int) -> None:
    assert len(key_ranges(KEY, slices(list(range(count + 1))))) == count + 1


def test_an_index_that_cannot_be_asked_for_ranges_is_read_as_a_whole() -> None:
    unindexed = Field("n", COLUMN, "long", Origin.OVERLAY, {"type": "long", "index": False})
    text = Field("n", COLUMN, "keyword", Origin.RULE, {"type": "keyword"})
    for key in (None, unindexed, text):
        assert key_ranges(key, slices([0, 5, 9])) == [{"match_all": {}}]
