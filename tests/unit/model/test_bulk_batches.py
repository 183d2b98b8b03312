from hypothesis import given
from hypothesis import strategies as st

from indexer.model.document.bulk_response import split_batches

lines = st.lists(st.integers(1, 60).map(lambda size: b"x" * size), max_size=60)


@given(lines, st.integers(1, 100))
def test_batches_hold_every_line_once_in_order_within_the_limit(given_lines: list[bytes], most: int) -> None:
    made = list(split_batches(given_lines, most))
    assert [line for batch in made for line in batch.lines] == given_lines
    assert all(batch.size == sum(map(len, batch.lines)) for batch in made)
    assert all(batch.size <= most or len(batch.lines) == 1 for batch in made)


def test_batches_of_a_page_come_out_even() -> None:
    sizes = [batch.size for batch in split_batches([b"x" * 500] * 10_000, 2 * 1024 * 1024)]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) <= 1_000
