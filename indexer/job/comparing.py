"""Comparing rows of a table with an index, one by one, without trusting what loaded it.

The source is streamed as a load streams it: by windows, into documents, within one budget of bytes. Each batch of
documents is looked up by `_id` in one point in time of the index. That finds what is missing and what is different for
every kind of key: text, ties, rows without a key, keys that the index leaves out or does not index, and documents whose
key itself is wrong, which a walk of both sides in key order would take for one missing and one extra.

What is extra follows from what was found. A point in time numbers its documents (`_shard_doc`), and the number of each
one that a row stands behind is kept, in one bit. The numbers and ids of the whole index are streamed, without the
documents, and those without their bit are extra: exactly, whatever the keys.

A document that is looked up costs Elasticsearch four times one that is streamed, so a whole table is summed first
(`summing`), and only the buckets whose sums differ are compared here.
"""

import threading
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

import orjson

from indexer.job.asking import asked
from indexer.job.handover import Parcel
from indexer.job.shards import lacking
from indexer.job.stream import Stream
from indexer.model.comparison import differences, parts
from indexer.model.digest import EVERY, bucket
from indexer.model.patience import Patience
from indexer.model.seen import Seen
from indexer.model.verification import Finding, Findings, Kind
from indexer.target.page_of_hits import Held
from indexer.target.scan import MOST, Snapshot

__all__ = ["Comparing"]

_AHEAD: Final = 1
"""Batches that wait for each comparer."""

_FIELDS: Final = 3
"""Fields that are named of a document that differs."""


@dataclass(slots=True)
class Comparing:
    """One comparison of slices with a snapshot.

    Attributes:
        stream: the rows; its writers compare here, and its ledger tells which slices were read to their ends.
        snapshot: the index.
        findings: where findings go.
        rejected: the ids of dead letters, and why they are.
        buckets: compare only the rows whose `_id` lies in one of these, and look only there for what is extra.
        mend: what is done with the lines of rows that are missing or different; nothing by default.
        seen: the documents that a row stands behind.
    """

    stream: Stream
    snapshot: Snapshot
    findings: Findings
    rejected: dict[str, str] = field(default_factory=dict)
    buckets: Container[int] = EVERY
    mend: Callable[[Sequence[bytes]], None] = lambda _: None
    seen: Seen = field(default_factory=Seen)
    _vectors: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._vectors = frozenset(field.name for field in self.stream.mapping.fields if field.type == "dense_vector")

    def run(self) -> None:
        """Compare every row of the slices.

        Raises:
            IndexerError: the first failure of any thread.
        """
        self.stream.run("comparer", self._compare_all, ahead=_AHEAD)

    def _compare_all(self, parcels: Iterator[Parcel]) -> None:
        patience = Patience(self.stream.settings.patience)
        for batch, entry in parcels:
            for begin in range(0, len(batch.lines), MOST):
                self._compare(entry.number, batch.lines[begin : begin + MOST], patience)
            self.stream.ledger.acknowledged(entry)
            self.stream.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _compare(self, number: int, lines: Sequence[bytes], patience: Patience) -> None:
        rows = [row for row in map(parts, lines) if bucket(row[0]) in self.buckets]
        if not rows:
            return
        sent = dict(rows)
        pages = asked(lambda: self.snapshot.match(sent), patience, self.stream.crew.stop, self.stream.counters)
        self.seen.add((place for page in pages for place in page.places), len(rows) - len(sent))
        self.seen.add(held.place for page in pages for held in page.others)
        others = {orjson.dumps(held.id): held for page in pages for held in page.others}
        left = sent.keys() - {id_ for page in pages for id_ in page.same}
        wrong = [id_ for id_ in left if self._is_wrong(number, id_, sent[id_], others.get(id_))]
        if wrong:
            self.mend([b'{"index":{"_id":%b}}\n%b\n' % (id_, sent[id_]) for id_ in wrong])

    def _is_wrong(self, number: int, id_: bytes, source: bytes, held: Held | None) -> bool:
        if held is None:
            self.findings.add(number, self._without_document(orjson.loads(id_)))
            return True
        found = tuple(map(str, islice(differences(orjson.loads(source), held.source, self._vectors), _FIELDS)))
        if found:
            self.findings.add(number, Finding(held.id, Kind.DIFFERENT, found))
        return bool(found)

    def _without_document(self, id_: str) -> Finding:
        reason = self.rejected.get(id_)
        return Finding(id_, Kind.MISSING) if reason is None else Finding(id_, Kind.REJECTED, (reason,))

    def extra(self) -> Iterator[list[str]]:
        """The ids of the documents that no row stands behind, page by page; after `run` over the whole table."""
        patience, stop, after = Patience(self.stream.settings.patience), threading.Event(), None
        while page := asked(partial(self.snapshot.places, after), patience, stop, self.stream.counters):
            after = page[-1][1]
            ids = [id_ for id_, place in page if place not in self.seen and bucket(orjson.dumps(id_)) in self.buckets]
            for begin in range(0, len(ids), MOST):
                yield ids[begin : begin + MOST]

    def incomplete(self) -> str:
        """Why what was read may not be every row once, with the remedy; or nothing.

        A row whose key was changed meanwhile can be read twice, or not at all; one of a shard that is away, not at all.
        """
        table = self.stream.selection.table
        if table.caveat:
            return f"{table.caveat}; reindex to be rid of what is extra"
        away = self.stream.source.absent(table)
        if away:
            return f"{lacking(table, away)}; bring its nodes back and verify again"
        changed = self._changed()
        return f"{changed}: verify again when nothing is written to the table" if changed else ""

    def _changed(self) -> str:
        left = self.stream.ledger.left()
        if any(part.windows for part in left):
            return "not every slice was read to its end"
        read, rows = sum(part.read for part in left), self.stream.source.bounds(self.stream.selection).rows
        if read != rows:
            return f"{read:,} rows were read, and {rows:,} are there now"
        if self.seen.again:
            return f"{self.seen.again:,} rows were read twice, or share an _id"
        return ""
