"""RowComparison rows of a table with an index, one by one, without trusting what loaded it.

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
from threading import Event
from typing import Final

import orjson

from indexer.job.shards import absent_text
from indexer.model.json import JsonObject
from indexer.pipeline.pipeline import Pipeline
from indexer.pipeline.threads import PageBatch
from indexer.retry import RetryPolicy, with_retry
from indexer.sink.hits import StoredDocument
from indexer.sink.snapshot import MOST, IndexWalk, Snapshot
from indexer.verify.digest import ALL_BUCKETS, Digest, SeenDocuments, bucket_of
from indexer.verify.document_diff import document_differences, split_line
from indexer.verify.findings import Finding, FindingKind, Findings

__all__ = ["DigestComparison", "RowComparison"]

_AHEAD_OF_COMPARERS: Final = 1
"""Batches that wait for each comparer."""

_FIELDS: Final = 3
"""Fields that are named of a document that differs."""


@dataclass(slots=True)
class RowComparison:
    """One comparison of slices with a snapshot.

    Attributes:
        stream: the rows; its writers compare here, and its tracker tells which slices were read to their ends.
        snapshot: the index.
        findings: where findings go.
        rejected: the ids of dead letters, and why they are.
        buckets: compare only the rows whose `_id` lies in one of these, and look only there for what is extra.
        mend: what is done with the lines of rows that are missing or different; nothing by default.
        seen: the documents that a row stands behind.
    """

    stream: Pipeline
    snapshot: Snapshot
    findings: Findings
    rejected: dict[str, str] = field(default_factory=dict)
    buckets: Container[int] = ALL_BUCKETS
    mend: Callable[[Sequence[bytes]], None] = lambda _: None
    seen: SeenDocuments = field(default_factory=SeenDocuments)
    _vectors: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._vectors = frozenset(field.name for field in self.stream.mapping.fields if field.type == "dense_vector")

    def run(self) -> None:
        """Compare every row of the slices.

        Raises:
            IndexerError: the first failure of any thread.
        """
        self.stream.run("comparer", self._compare_all, ahead=_AHEAD_OF_COMPARERS)

    def _compare_all(self, batches: Iterator[PageBatch]) -> None:
        patience = RetryPolicy(self.stream.settings.patience)
        for batch, entry in batches:
            for begin in range(0, len(batch.lines), MOST):
                self._compare(entry.number, batch.lines[begin : begin + MOST], patience)
            self.stream.tracker.acknowledged(entry)
            self.stream.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _compare(self, number: int, lines: Sequence[bytes], patience: RetryPolicy) -> None:
        rows = [row for row in map(split_line, lines) if bucket_of(row[0]) in self.buckets]
        if not rows:
            return
        sent = dict(rows)
        pages = with_retry(lambda: self.snapshot.match(sent), patience, self.stream.workers.stop, self.stream.counters)
        self.seen.add((place for page in pages for place in page.places), len(rows) - len(sent))
        self.seen.add(held.place for page in pages for held in page.others)
        others = {orjson.dumps(held.id): held for page in pages for held in page.others}
        left = sent.keys() - {id_ for page in pages for id_ in page.same}
        wrong = [id_ for id_ in left if self._is_wrong(number, id_, sent[id_], others.get(id_))]
        if wrong:
            self.mend([b'{"index":{"_id":%b}}\n%b\n' % (id_, sent[id_]) for id_ in wrong])

    def _is_wrong(self, number: int, id_: bytes, source: bytes, held: StoredDocument | None) -> bool:
        if held is None:
            self.findings.add(number, self._without_document(orjson.loads(id_)))
            return True
        found = tuple(map(str, islice(document_differences(orjson.loads(source), held.source, self._vectors), _FIELDS)))
        if found:
            self.findings.add(number, Finding(held.id, FindingKind.DIFFERENT, found))
        return bool(found)

    def _without_document(self, id_: str) -> Finding:
        reason = self.rejected.get(id_)
        return Finding(id_, FindingKind.MISSING) if reason is None else Finding(id_, FindingKind.REJECTED, (reason,))

    def extra(self) -> Iterator[list[str]]:
        """The ids of the documents that no row stands behind, page by page; after `run` over the whole table."""
        patience, stop, after = RetryPolicy(self.stream.settings.patience), threading.Event(), None
        while page := with_retry(partial(self.snapshot.places, after), patience, stop, self.stream.counters):
            after = page[-1][1]
            ids = [
                id_ for id_, place in page if place not in self.seen and bucket_of(orjson.dumps(id_)) in self.buckets
            ]
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
            return f"{absent_text(table, away)}; bring its nodes back and verify again"
        changed = self._changed()
        return f"{changed}: verify again when nothing is written to the table" if changed else ""

    def _changed(self) -> str:
        left = self.stream.tracker.slices()
        if any(part.windows for part in left):
            return "not every slice was read to its end"
        read, rows = sum(part.read for part in left), self.stream.source.bounds(self.stream.selection).rows
        if read != rows:
            return f"{read:,} rows were read, and {rows:,} are there now"
        if self.seen.again:
            return f"{self.seen.again:,} rows were read twice, or share an _id"
        return ""


_AHEAD_OF_ADDERS = 1
"""Batches that wait for each adder."""


@dataclass(slots=True)
class DigestComparison:
    """The sums of both sides.

    Attributes:
        stream: the whole table; its writers add up here.
        snapshot: the index.
        ranges: queries that find all of its documents between them, in the order that they are read in.
    """

    stream: Pipeline
    snapshot: Snapshot
    ranges: Sequence[JsonObject]
    _rows: Digest = field(default_factory=Digest)
    _documents: Digest = field(default_factory=Digest)

    def run(self) -> frozenset[int]:
        """Pipeline both sides.

        Returns:
            the buckets in which they differ.

        Raises:
            IndexerError: the first failure of any thread.
        """
        self.stream.run("adder", self._add, ahead=_AHEAD_OF_ADDERS, beside=self._walk)
        return self._rows.differing(self._documents)

    def documents(self, buckets: frozenset[int]) -> int:
        """How many documents the index holds in these buckets."""
        return self._documents.count(buckets)

    def _add(self, batches: Iterator[PageBatch]) -> None:
        for batch, entry in batches:
            self._rows.add(map(split_line, batch.lines))
            self.stream.tracker.acknowledged(entry)
            self.stream.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _walk(self, _ended: Event, stop: Event) -> None:
        walk, patience = IndexWalk(self.snapshot, self.ranges), RetryPolicy(self.stream.settings.patience)
        while not stop.is_set() and (page := with_retry(walk.page, patience, stop, self.stream.counters)).pairs:
            self._documents.add(page.pairs)
