"""Digests of documents: two sides that hold the same documents have the same digest, in whatever order they came."""

import threading
from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Final

__all__ = ["ALL_BUCKETS", "Digest", "MatchedDocuments", "bucket_of"]

_BUCKETS: Final = 1 << 14
"""The number of parts that documents are divided into, by `_id`; only parts that differ are compared row by row."""

ALL_BUCKETS: Final = range(_BUCKETS)
"""All buckets."""


class Digest:
    """What one side holds: for each bucket, the number of documents and the sum of their hashes. Threads may share it.

    The hash is Python's own of `bytes`: SipHash with 64 bits and a key that each process draws for itself (PEP 456), so
    both sides are added up in one process. A bucket that differs has the same sum with a probability of 2^-64.
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
                bucket = bucket_of(document[0])
                sums[bucket] += hash(document)
                counts[bucket] += 1

    def differing(self, other: "Digest") -> frozenset[int]:
        """The buckets that do not hold the same documents on both sides."""
        return frozenset(bucket for bucket in ALL_BUCKETS if self.bucket(bucket) != other.bucket(bucket))

    def bucket(self, bucket: int) -> tuple[int, int]:
        """The number of documents in a bucket, and the sum of their hashes."""
        return self._counts[bucket], self._sums[bucket]

    def count(self, buckets: Container[int]) -> int:
        """How many documents these buckets hold."""
        return sum(count for bucket, count in enumerate(self._counts) if bucket in buckets)


def bucket_of(id_: bytes) -> int:
    """The bucket of a document, by its `_id` as JSON."""
    return hash(id_) % _BUCKETS


_SHARD = 32
"""Bits of a document's number in its shard; the shard's number stands before them in a place."""


class MatchedDocuments:
    """A set of places in a point in time (`_shard_doc`): they are dense, so 200 million take 25 MB.

    Threads may share it.

    Attributes:
        duplicates: how often a place was added that was in it already.
    """

    def __init__(self) -> None:
        self.duplicates = 0
        self._size = 0
        self._lock = threading.Lock()
        self._shards: defaultdict[int, bytearray] = defaultdict(bytearray)

    def __len__(self) -> int:
        return self._size

    def add(self, places: Iterable[int], duplicates: int = 0) -> None:
        """Add places, and count so many rows more that match one of them."""
        with self._lock:
            self.duplicates += duplicates
            for place in places:
                self._add(place)

    def _add(self, place: int) -> None:
        bits = self._shards[place >> _SHARD]
        byte, bit = (place & (1 << _SHARD) - 1) >> 3, 1 << (place & 7)
        if byte >= len(bits):
            bits.extend(bytes(max(byte + 1 - len(bits), len(bits) // 4)))
        if bits[byte] & bit:
            self.duplicates += 1
        else:
            bits[byte] |= bit
            self._size += 1

    def __contains__(self, place: int) -> bool:
        bits = self._shards.get(place >> _SHARD, b"")
        byte = (place & (1 << _SHARD) - 1) >> 3
        return byte < len(bits) and bool(bits[byte] & 1 << (place & 7))
