"""A checkpoint survives being written as JSON, whatever the keys are."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from indexer.model.job.checkpoint import SliceProgress, read_slices, write_slices
from indexer.model.paging.window import Keyset, Offset, Prefix, Prefixes, Range, TieGroup

numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=5)
afters = st.none() | st.lists(numbers | texts | st.booleans(), min_size=1, max_size=3).map(tuple)
windows = st.one_of(
    st.builds(Range, numbers, numbers),
    st.builds(Prefixes, st.lists(st.builds(Prefix, texts, st.booleans(), st.integers(0, 99)), max_size=4).map(tuple)),
    st.builds(TieGroup, st.none() | numbers | texts, afters),
    st.builds(Keyset, afters),
    st.builds(Offset, st.integers(0, 2**40)),
)
counts = st.integers(0, 99)
lefts = st.lists(
    st.builds(SliceProgress, counts, st.lists(windows, max_size=3).map(tuple), counts, windows, counts, counts, counts),
    max_size=4,
).map(tuple)


@given(lefts)
def test_what_is_left_survives_json(left: tuple[SliceProgress, ...]) -> None:
    again = read_slices(orjson.loads(orjson.dumps(write_slices(left))))
    assert again == left
    rows = [p.rows for part in left for w in part.windows if isinstance(w, Prefixes) for p in w.prefixes]
    assert [p.rows for part in again for w in part.windows if isinstance(w, Prefixes) for p in w.prefixes] == rows
