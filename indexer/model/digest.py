"""Sums over documents: two sides that hold the same documents have the same sums, in whatever order they came."""

import threading
from collections.abc import Container, Iterable
from typing import Final

__all__ = ["EVERY", "Digest", "bucket"]

_BUCKETS: Final = 1 << 14
"""Into so many parts the documents are divided by their `_id`: where a sum differs, only that part is looked at."""

EVERY: Final = range(_BUCKETS)
"""All buckets."""


class Digest:
    """What one side holds: of each bucket how many documents, and the sum of their hashes. Threads may share it.

    The hash is Python's own of `bytes`: SipHash with 64 bits and a key that each process draws for itself (PEP 456), so
    both sides are summed in one process. A bucket that differs has the same sum with a probability of 2^-64.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = [0] * _BUCKETS
        self._counts = [0] * _BUCKETS

    def add(self, documents: Iterable[tuple[bytes, bytes]]) -> None:
        """Add documents, each its `_id` and its `_source`: both as JSON, as they were sent."""
        sums, counts = self._sums, self._counts
        with self._lock:
            for document in documents:
                place = bucket(document[0])
                sums[place] += hash(document)
                counts[place] += 1

    def differing(self, other: "Digest") -> frozenset[int]:
        """The buckets that do not hold the same documents on both sides."""
        return frozenset(place for place in EVERY if self.at(place) != other.at(place))

    def at(self, place: int) -> tuple[int, int]:
        """How many documents a bucket holds, and the sum of their hashes."""
        return self._counts[place], self._sums[place]

    def count(self, buckets: Container[int]) -> int:
        """How many documents these buckets hold."""
        return sum(count for place, count in enumerate(self._counts) if place in buckets)


def bucket(id_: bytes) -> int:
    """The bucket of a document, by its `_id` as JSON."""
    return hash(id_) % _BUCKETS
