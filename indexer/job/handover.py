"""Where readers hand batches over to writers: short, so that nothing but the next requests is held in memory."""

from collections.abc import Iterator
from queue import Empty, Full, Queue
from threading import Event
from typing import Final, NamedTuple

from indexer.model.batch import Batch
from indexer.model.ledger import Entry

__all__ = ["Handover", "Parcel"]

_TICK: Final = 0.1
"""Seconds after which a waiting thread looks whether the job stopped."""


class Parcel(NamedTuple):
    """A batch on its way, with the page that it is part of.

    Attributes:
        batch: the documents.
        entry: the page in the ledger.
    """

    batch: Batch
    entry: Entry


class Handover:
    """A queue of batches that ends: when the readers are done, or when the job stops.

    Args:
        most: how many batches may wait; a reader that is further ahead waits.
        stop: set when the job ends early: batches that wait are dropped.
    """

    def __init__(self, most: int, stop: Event) -> None:
        self._parcels: Queue[Parcel] = Queue(most)
        self._stop = stop
        self._done = Event()

    def put(self, parcel: Parcel) -> None:
        """Hand a batch over, as soon as the writers are near enough."""
        while not self._stop.is_set():
            try:
                self._parcels.put(parcel, timeout=_TICK)
            except Full:
                continue
            return

    def close(self) -> None:
        """No more batches will come."""
        self._done.set()

    def __iter__(self) -> Iterator[Parcel]:
        """The batches; several writers may take from it, each with an iterator of its own."""
        while not self._stop.is_set():
            done = self._done.is_set()  # before it is looked for: what was put in between would stay there
            try:
                yield self._parcels.get(block=not done, timeout=_TICK)
            except Empty:
                if done:
                    return
