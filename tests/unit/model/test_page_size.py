from indexer.model.paging.page_size import COST, PageSize


def test_a_page_is_as_large_as_wanted_where_it_fits() -> None:
    size = PageSize(10_000, share=10_000 * 500 * COST)
    size.saw(10_000, 10_000 * 400)
    for _ in range(50):
        size.saw(10_000, 10_000 * 400)
    assert size.limit == 10_000


def test_wide_rows_shrink_the_page_at_once_and_narrow_ones_grow_it_slowly() -> None:
    size = PageSize(10_000, share=6_000_000 * COST)
    size.saw(10, 10 * 1_000_000)
    assert size.limit == 6
    size.saw(6, 6 * 100)
    assert size.limit < 100
    for _ in range(60):
        size.saw(size.limit, size.limit * 100)
    assert size.limit == 10_000


def test_what_a_page_is_expected_to_cost_never_exceeds_the_share_but_for_one_row() -> None:
    size = PageSize(10_000, share=1_000_000)
    for row_bytes in (10, 1_000, 50_000, 10, 166_000):
        size.saw(100, 100 * row_bytes)
        assert size.limit * row_bytes * COST <= size.share or size.limit == 1
        assert (size.most is None) == (size.limit == 1)
        assert size.most is None or size.most * COST <= size.share


def test_what_the_source_cannot_answer_is_quartered_and_grows_back() -> None:
    size = PageSize(10_000, share=10**12)
    assert size.shrink()
    assert size.limit == 2_500
    assert size.shrink()
    assert size.limit == 625
    size.saw(625, 625)
    assert size.limit == 687
    for _ in range(30):
        size.saw(size.limit, size.limit)
    assert size.limit == 10_000


def test_one_row_cannot_be_quartered() -> None:
    size = PageSize(1, share=10**12)
    assert not size.shrink()
    assert size.limit == 1
