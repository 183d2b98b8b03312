"""Comparing a table with an index: by digests of everything, then row by row, without trusting what loaded it.

The source is streamed as a load streams it: by windows, into documents, within one budget of bytes. Each batch of
documents is looked up by `_id` in one point in time of the index. That finds what is missing and what is different for
every kind of key: text, ties, rows without a key, keys that the index leaves out or does not index, and documents whose
key itself is wrong, which a walk of both sides in key order would take for one missing and one extra.

Extra documents follow from that. A point in time numbers its documents (`_shard_doc`), and each number that a row
matches is kept, in one bit. The numbers and ids of the whole index are streamed, without the documents, and those
without their bit are extra: exactly, whatever the keys.

A document that is looked up costs Elasticsearch four times one that is streamed, so the digests of a whole table are
compared first (`DigestComparison`), and only the buckets whose digests differ are compared row by row
(`RowComparison`).
"""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from threading import Event
from typing import Final

import orjson

from indexer.job.shards import unavailable_text
from indexer.model.json import JsonObject
from indexer.pipeline.pipeline import Pipeline
from indexer.pipeline.threads import PageBatch
from indexer.retry import Retrier
from indexer.sink.hits import StoredDocument
from indexer.sink.snapshot import MAX_LOOKUP, IndexWalk, Snapshot
from indexer.verify.digest import Digest, MatchedDocuments, bucket_of
from indexer.verify.document_diff import document_differences, split_line
from indexer.verify.findings import Finding, FindingKind, Findings

__all__ = ["DigestComparison", "RowComparison"]

_AHEAD: Final = 1
"""Batches that wait for each comparer or adder."""

_FIELDS: Final = 3
"""Fields of a different document that a finding names."""


@dataclass(slots=True)
class RowComparison:
    """One comparison of slices with a snapshot.

    Attributes:
        pipeline: the rows; its takers compare, and its tracker says which slices were read to their ends.
        snapshot: the index.
        findings: where findings go.
        rejections: the ids of dead letters, and why they were rejected.
        buckets: compare only the rows whose `_id` lies in one of these, and look only there for extra documents.
        repair: called with the lines of rows that are missing or different.
        matched: the documents that a row matches.
    """

    pipeline: Pipeline
    snapshot: Snapshot
    findings: Findings
    rejections: dict[str, str]
    buckets: Container[int]
    repair: Callable[[Sequence[bytes]], None]
    matched: MatchedDocuments = field(init=False, default_factory=MatchedDocuments)
    _vectors: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._vectors = frozenset(field.name for field in self.pipeline.mapping.fields if field.type == "dense_vector")

    def run(self) -> None:
        """Compare every row of the slices.

        Raises:
            IndexerError: the first failure of any thread.
        """
        self.pipeline.run("comparer", self._compare_all, ahead=_AHEAD)

    def _compare_all(self, batches: Iterator[PageBatch]) -> None:
        retrier = self.pipeline.retrier
        for batch, page in batches:
            for begin in range(0, len(batch.lines), MAX_LOOKUP):
                self._compare(page.number, batch.lines[begin : begin + MAX_LOOKUP], retrier)
            self.pipeline.tracker.acknowledged(page)
            self.pipeline.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _compare(self, number: int, lines: Sequence[bytes], retrier: Retrier) -> None:
        rows = [row for row in map(split_line, lines) if bucket_of(row[0]) in self.buckets]
        if not rows:
            return
        sent = dict(rows)
        pages = retrier.call(lambda: self.snapshot.match(sent))
        self.matched.add((shard_doc for page in pages for shard_doc in page.shard_docs), len(rows) - len(sent))
        self.matched.add(stored.shard_doc for page in pages for stored in page.others)
        others = {orjson.dumps(stored.id): stored for page in pages for stored in page.others}
        doubted = sent.keys() - {id_ for page in pages for id_ in page.same}
        wrong = [id_ for id_ in doubted if self._is_wrong(number, id_, sent[id_], others.get(id_))]
        if wrong:
            self.repair([b'{"index":{"_id":%b}}\n%b\n' % (id_, sent[id_]) for id_ in wrong])

    def _is_wrong(self, number: int, id_: bytes, source: bytes, stored: StoredDocument | None) -> bool:
        if stored is None:
            self.findings.add(number, self._missing(orjson.loads(id_)))
            return True
        differences = document_differences(orjson.loads(source), stored.source, self._vectors)
        fields = tuple(map(str, islice(differences, _FIELDS)))
        if fields:
            self.findings.add(number, Finding(stored.id, FindingKind.DIFFERENT, fields))
        return bool(fields)

    def _missing(self, id_: str) -> Finding:
        reason = self.rejections.get(id_)
        return Finding(id_, FindingKind.MISSING) if reason is None else Finding(id_, FindingKind.REJECTED, (reason,))

    def extra(self) -> Iterator[list[str]]:
        """The ids of the documents without a row, page by page; after `run` over the whole table."""
        retrier, after = self.pipeline.retrier, None
        while page := retrier.call(partial(self.snapshot.shard_docs, after)):
            after = page[-1][1]
            ids = [
                id_
                for id_, shard_doc in page
                if shard_doc not in self.matched and bucket_of(orjson.dumps(id_)) in self.buckets
            ]
            for begin in range(0, len(ids), MAX_LOOKUP):
                yield ids[begin : begin + MAX_LOOKUP]

    def incomplete(self) -> str:
        """Why some rows may not have been read exactly once, with the remedy; empty where all were.

        A row whose key changes during the run can be read twice or not at all; one of an unavailable shard, not at all.
        """
        table = self.pipeline.selection.table
        if table.caveat:
            return f"{table.caveat}; reindex to remove extra documents"
        absent = self.pipeline.source.unavailable_shards(table)
        if absent:
            return f"{unavailable_text(table, absent)}; bring its nodes back and verify again"
        changed = self._change()
        return f"{changed}; verify again when nothing is written to the table" if changed else ""

    def _change(self) -> str:
        slices = self.pipeline.tracker.slices()
        if any(progress.windows for progress in slices):
            return "not every slice was read to its end"
        read = sum(progress.read for progress in slices)
        rows = self.pipeline.source.bounds(self.pipeline.selection).rows
        if read != rows:
            return f"{read:,} rows were read, but the table has {rows:,} now"
        if self.matched.duplicates:
            return f"{self.matched.duplicates:,} rows were read twice, or share an _id"
        return ""


@dataclass(slots=True)
class DigestComparison:
    """One comparison of the digests of both sides.

    Attributes:
        pipeline: the whole table; its takers add up the digest.
        snapshot: the index.
        ranges: queries that together find all of its documents, in the order in which they are read.
    """

    pipeline: Pipeline
    snapshot: Snapshot
    ranges: Sequence[JsonObject]
    _rows: Digest = field(init=False, default_factory=Digest)
    _documents: Digest = field(init=False, default_factory=Digest)

    def run(self) -> frozenset[int]:
        """Read both sides to their ends.

        Returns:
            The buckets in which they differ.

        Raises:
            IndexerError: the first failure of any thread.
        """
        self.pipeline.run("adder", self._add, ahead=_AHEAD, beside=self._walk)
        return self._rows.differing(self._documents)

    def documents(self, buckets: frozenset[int]) -> int:
        """How many documents the index holds in these buckets."""
        return self._documents.count(buckets)

    def _add(self, batches: Iterator[PageBatch]) -> None:
        for batch, page in batches:
            self._rows.add(map(split_line, batch.lines))
            self.pipeline.tracker.acknowledged(page)
            self.pipeline.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _walk(self, _ended: Event, stop: Event) -> None:
        walk, retrier = IndexWalk(self.snapshot, self.ranges), self.pipeline.retrier
        while not stop.is_set() and (page := retrier.call(walk.page)).pairs:
            self._documents.add(page.pairs)
