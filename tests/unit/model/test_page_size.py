from indexer.model.paging.page_size import MEMORY_FACTOR, PageSize


def test_a_page_has_the_requested_size_if_it_fits_the_budget() -> None:
    size = PageSize(10_000, share=10_000 * 500 * MEMORY_FACTOR)
    size.record(10_000, 10_000 * 400)
    for _ in range(50):
        size.record(10_000, 10_000 * 400)
    assert size.limit == 10_000


def test_wide_rows_shrink_pages_at_once_and_narrow_rows_grow_them_slowly() -> None:
    size = PageSize(10_000, share=6_000_000 * MEMORY_FACTOR)
    size.record(10, 10 * 1_000_000)
    assert size.limit == 6
    size.record(6, 6 * 100)
    assert size.limit < 100
    for _ in range(60):
        size.record(size.limit, size.limit * 100)
    assert size.limit == 10_000


def test_a_page_never_exceeds_its_share_unless_it_is_one_row() -> None:
    size = PageSize(10_000, share=1_000_000)
    for row_bytes in (10, 1_000, 50_000, 10, 166_000):
        size.record(100, 100 * row_bytes)
        assert size.limit * row_bytes * MEMORY_FACTOR <= size.share or size.limit == 1
        assert (size.max_bytes is None) == (size.limit == 1)
        assert size.max_bytes is None or size.max_bytes * MEMORY_FACTOR <= size.share


def test_a_refused_page_is_quartered_and_grows_back() -> None:
    size = PageSize(10_000, share=10**12)
    assert size.shrink()
    assert size.limit == 2_500
    assert size.shrink()
    assert size.limit == 625
    size.record(625, 625)
    assert size.limit == 687
    for _ in range(30):
        size.record(size.limit, size.limit)
    assert size.limit == 10_000


def test_a_page_of_one_row_cannot_shrink() -> None:
    size = PageSize(1, share=10**12)
    assert not size.shrink()
    assert size.limit == 1
