import gc

import pytest

from indexer.pipeline.memory import rare_garbage_collection


def test_pages_are_not_searched_for_cycles_meanwhile() -> None:
    with rare_garbage_collection():
        before = gc.get_stats()[0]["collections"]
        page = [[number] for number in range(20_000)]
        assert gc.get_stats()[0]["collections"] == before
    assert len(page) == 20_000


def test_the_collector_is_as_it_was_afterwards_even_if_the_job_failed() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()

    def fail() -> None:
        with rare_garbage_collection():
            assert gc.get_freeze_count()
            raise LookupError("the job failed")

    with pytest.raises(LookupError, match="failed"):
        fail()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
