"""Batches of bulk lines, and ids read from them."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.model.document.bulk_request import line_id, split_batches

lines = st.lists(st.integers(1, 60).map(lambda size: b"x" * size), max_size=60)


@given(lines, st.integers(1, 100))
def test_batches_contain_every_line_once_in_order_and_within_the_limit(
    given_lines: list[bytes], max_bytes: int
) -> None:
    batches = list(split_batches(given_lines, max_bytes))
    assert [line for batch in batches for line in batch.lines] == given_lines
    assert all(batch.size == sum(map(len, batch.lines)) for batch in batches)
    assert all(batch.size <= max_bytes or len(batch.lines) == 1 for batch in batches)


def test_batches_of_a_page_have_equal_sizes() -> None:
    sizes = [batch.size for batch in split_batches([b"x" * 500] * 10_000, 2 * 1024 * 1024)]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) <= 1_000


def test_the_id_of_a_line_is_read_without_its_document() -> None:
    assert line_id(b'{"index":{"_id":"a|1"}}\nnot json\n') == "a|1"
    assert line_id(b'{"create":{"_id":"a"}}\n{}\n') == ""
