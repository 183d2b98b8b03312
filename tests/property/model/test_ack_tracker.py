"""A checkpoint is never ahead of the data: whatever order batches are acknowledged in."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.model.job.checkpoint import AckTracker, unread
from indexer.model.paging.slice import Slice
from indexer.model.paging.window import Range

PAGE = 10


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_a_slice_advances_past_acknowledged_pages_alone(batches: list[int], random: object) -> None:
    total = PAGE * len(batches)
    ledger = AckTracker(unread([Slice(0, Range(0, total), total)]))
    entries = [
        ledger.page(0, (Range(PAGE * (number + 1), total),), rows=PAGE, batches=count)
        for number, count in enumerate(batches)
    ]
    todo = [entry for entry in entries for _ in range(entry.open)]
    random.shuffle(todo)  # type: ignore[attr-defined]
    while True:
        [left] = ledger.slices()
        done = next((number for number, entry in enumerate(entries) if entry.open), len(entries))
        assert left.windows == (Range(PAGE * done, total),)
        assert left.read == PAGE * done
        if not todo:
            return
        ledger.acknowledged(todo.pop())


def test_slices_advance_on_their_own() -> None:
    ledger = AckTracker(unread([Slice(0, Range(0, 5), 5), Slice(1, Range(5, 9), 4)]))
    first = ledger.page(0, (), rows=5, batches=1)
    second = ledger.page(1, (), rows=4, batches=1)
    ledger.acknowledged(second)
    assert [left.windows for left in ledger.slices()] == [(Range(0, 5),), ()]
    ledger.acknowledged(first)
    assert [(left.windows, left.read) for left in ledger.slices()] == [((), 5), ((), 4)]


def test_a_ledger_goes_on_from_what_was_left() -> None:
    before = AckTracker(unread([Slice(3, Range(0, 50), 50)]))
    before.acknowledged(before.page(3, (Range(20, 50),), rows=20, batches=1), dead=2)
    after = AckTracker(before.slices())
    after.acknowledged(after.page(3, (), rows=30, batches=1))
    assert [(left.windows, left.read, left.dead) for left in after.slices()] == [((), 50, 2)]
