"""Comparing a whole table with an index by sums, without trusting what loaded it: both sides are streamed once.

Both are streamed in the order of the key, and neither is held. The source comes as a load streams it: slice by slice,
in windows, into documents, within one budget of bytes. The index comes beside it, by ranges of the key, a point in time
and `search_after`, and within a range in the order that costs Elasticsearch least. Each document goes into the sum of
its side and bucket (`model.digest`), so that every kind of key can be compared, a text too, by whose order an index
cannot be asked. Only where sums differ, documents are looked up one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

from indexer.job.asking import asked
from indexer.job.handover import Parcel
from indexer.job.stream import Stream
from indexer.model.comparison import parts
from indexer.model.digest import Digest
from indexer.model.json import JsonObject
from indexer.model.patience import Patience
from indexer.target.index_walk import IndexWalk
from indexer.target.scan import Snapshot

__all__ = ["Summing"]

_AHEAD = 1
"""Batches that wait for each adder."""


@dataclass(slots=True)
class Summing:
    """The sums of both sides.

    Attributes:
        stream: the whole table; its writers add up here.
        snapshot: the index.
        ranges: queries that find all of its documents between them, in the order that they are read in.
    """

    stream: Stream
    snapshot: Snapshot
    ranges: Sequence[JsonObject]
    _rows: Digest = field(default_factory=Digest)
    _documents: Digest = field(default_factory=Digest)

    def run(self) -> frozenset[int]:
        """Stream both sides.

        Returns:
            the buckets in which they differ.

        Raises:
            IndexerError: the first failure of any thread.
        """
        self.stream.run("adder", self._add, ahead=_AHEAD, beside=self._walk)
        return self._rows.differing(self._documents)

    def documents(self, buckets: frozenset[int]) -> int:
        """How many documents the index holds in these buckets."""
        return self._documents.count(buckets)

    def _add(self, parcels: Iterator[Parcel]) -> None:
        for batch, entry in parcels:
            self._rows.add(map(parts, batch.lines))
            self.stream.ledger.acknowledged(entry)
            self.stream.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _walk(self, _ended: Event, stop: Event) -> None:
        walk, patience = IndexWalk(self.snapshot, self.ranges), Patience(self.stream.settings.patience)
        while not stop.is_set() and (page := asked(walk.page, patience, stop, self.stream.counters)).pairs:
            self._documents.add(page.pairs)
