import threading

import pytest

from indexer.errors import Interrupted
from indexer.pipeline.memory import MemoryBudget


def test_takers_wait_until_bytes_are_given_back() -> None:
    budget = MemoryBudget(100, threading.Event())
    budget.take(80)
    took = threading.Event()

    def take() -> None:
        budget.take(30)
        took.set()

    taker = threading.Thread(target=take)
    taker.start()
    assert not took.wait(0.05)
    budget.give(40)
    assert took.wait(5)
    taker.join()
    assert (budget.taken, budget.peak) == (70, 80)


def test_one_page_passes_however_large() -> None:
    budget = MemoryBudget(100, threading.Event())
    budget.take(500)
    assert budget.taken == 500


def test_a_correction_frees_what_was_estimated_too_high() -> None:
    budget = MemoryBudget(100, threading.Event())
    budget.take(90)
    budget.correct(90, 10)
    budget.take(90)
    assert (budget.taken, budget.peak) == (100, 100)


def test_a_stopped_job_waits_for_nothing() -> None:
    stop = threading.Event()
    budget = MemoryBudget(10, stop)
    budget.take(10)
    stop.set()
    with pytest.raises(Interrupted):
        budget.take(1)
