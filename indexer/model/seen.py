"""Which documents of a snapshot were seen: one bit each, so that what no row stands behind is known exactly."""

import threading
from collections import defaultdict
from collections.abc import Iterable

__all__ = ["Seen"]

_SHARD = 32
"""A place is the shard's number, then the document's number in it, which has this many bits."""


class Seen:
    """A set of places in a point in time (`_shard_doc`): they are dense, so 200 million take 25 MB.

    Threads may share it.

    Attributes:
        again: how often a place was added that was in it already.
    """

    def __init__(self) -> None:
        self.again = 0
        self._size = 0
        self._lock = threading.Lock()
        self._shards: defaultdict[int, bytearray] = defaultdict(bytearray)

    def __len__(self) -> int:
        return self._size

    def add(self, places: Iterable[int], again: int = 0) -> None:
        """Add places; `again` more rows stand behind some of them."""
        with self._lock:
            self.again += again
            for place in places:
                self._add(place)

    def _add(self, place: int) -> None:
        bits = self._shards[place >> _SHARD]
        byte, bit = (place & (1 << _SHARD) - 1) >> 3, 1 << (place & 7)
        if byte >= len(bits):
            bits.extend(bytes(max(byte + 1 - len(bits), len(bits) // 4)))
        if bits[byte] & bit:
            self.again += 1
        else:
            bits[byte] |= bit
            self._size += 1

    def __contains__(self, place: int) -> bool:
        bits = self._shards.get(place >> _SHARD, b"")
        byte = (place & (1 << _SHARD) - 1) >> 3
        return byte < len(bits) and bool(bits[byte] & 1 << (place & 7))
