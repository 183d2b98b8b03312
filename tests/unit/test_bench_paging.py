from bench.paging import tenths
from bench.walking import PageTime


def test_a_page_belongs_to_the_tenth_of_the_rows_where_it_begins() -> None:
    pages = [PageTime(rows=5, milliseconds=number) for number in range(20)]
    assert tenths(pages) == tuple(2 * number + 0.5 for number in range(10))


def test_tenths_are_of_rows_and_not_of_pages() -> None:
    many_small = [PageTime(rows=1, milliseconds=1) for _ in range(50)]
    few_large = [PageTime(rows=10, milliseconds=9) for _ in range(5)]
    assert tenths([*many_small, *few_large]) == (1.0,) * 5 + (9.0,) * 5


def test_an_empty_page_at_the_end_stays_in_the_last_tenth() -> None:
    assert tenths([PageTime(10, 1), PageTime(0, 5)])[-1] == 5


def test_a_tenth_in_which_no_page_begins_has_no_time() -> None:
    assert tenths([PageTime(10, 4)]) == (4.0,) + (0.0,) * 9
