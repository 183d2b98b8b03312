"""Comparing a table with an index, row by row, without trusting what loaded it.

The source is streamed as a load streams it: by windows, into documents, within one budget of bytes. Each batch of
documents is looked up by `_id` in one point in time of the index. That finds what is missing and what is different for
every kind of key: text, ties, rows without a key, keys that the index leaves out or does not index, and documents whose
key itself is wrong, which a walk of both sides in key order would take for one missing and one extra. It costs about as
much as a range of the index would (59,000 documents a second by `_id`, 70,000 by a range; one connection).

What is extra follows from what was found. A point in time numbers its documents (`_shard_doc`), and the number of each
one that a row stands behind is kept, in one bit. If as many were found as there are, none is extra. Otherwise the
numbers and ids of the whole index are streamed, and those without their bit are extra: exactly, whatever the keys.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
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
from indexer.model.ledger import Ledger, Left
from indexer.model.mapping import Mapping
from indexer.model.patience import Patience
from indexer.model.progress import Counters
from indexer.model.seen import Seen
from indexer.model.selection import Selection
from indexer.model.verification import Finding, Findings, Kind
from indexer.settings import Settings
from indexer.source.base import Source
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
        settings: page, readers, writers (who compare here), memory, batch bytes, patience.
        selection: what is read.
        mapping: what documents are made by.
        source: where the rows are.
        snapshot: the index.
        slices: what to read.
        counters: the counters of rows read and rows compared.
        findings: where findings go.
        rejected: the ids of dead letters, and why they are.
        mend: what is done with the lines of rows that are missing or different; nothing by default.
        seen: the documents that a row stands behind.
        ledger: which slices were read to their ends.
    """

    settings: Settings
    selection: Selection
    mapping: Mapping
    source: Source
    snapshot: Snapshot
    slices: Sequence[Left]
    counters: Counters
    findings: Findings
    rejected: dict[str, str] = field(default_factory=dict)
    mend: Callable[[Sequence[bytes]], None] = lambda _: None
    seen: Seen = field(default_factory=Seen)
    ledger: Ledger = field(init=False)
    _vectors: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.slices)
        self._vectors = frozenset(field.name for field in self.mapping.fields if field.type == "dense_vector")

    def run(self) -> None:
        """Compare every row of the slices.

        Raises:
            IndexerError: the first failure of any thread.
        """
        stream = Stream(self.settings, self.selection, self.mapping, self.source, self.counters, self.ledger)
        stream.run("comparer", lambda parcels: self._compare_all(parcels, stream.crew.stop), ahead=_AHEAD)

    def _compare_all(self, parcels: Iterator[Parcel], stop: threading.Event) -> None:
        patience = Patience(self.settings.patience)
        for batch, entry in parcels:
            for begin in range(0, len(batch.lines), MOST):
                self._compare(entry.number, batch.lines[begin : begin + MOST], patience, stop)
            self.ledger.acknowledged(entry)
            self.counters.indexed(len(batch.lines), batch.size, 0, 0)

    def _compare(self, number: int, lines: Sequence[bytes], patience: Patience, stop: threading.Event) -> None:
        sent = dict(map(parts, lines))
        page = asked(lambda: self.snapshot.match(sent), patience, stop, self.counters)
        self.seen.add(page.places, len(lines) - len(sent))
        self.seen.add(held.place for held in page.others)
        others = {orjson.dumps(held.id): held for held in page.others}
        left = sent.keys() - page.same
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
        if len(self.seen) == self.snapshot.size:
            return
        patience, stop, after = Patience(self.settings.patience), threading.Event(), None
        while page := asked(partial(self.snapshot.places, after), patience, stop, self.counters):
            after = page[-1][1]
            ids = [id_ for id_, place in page if place not in self.seen]
            for begin in range(0, len(ids), MOST):
                yield ids[begin : begin + MOST]

    def incomplete(self) -> str:
        """Why what was read may not be every row once, with the remedy; or nothing.

        A row whose key was changed meanwhile can be read twice, or not at all; one of a shard that is away, not at all.
        """
        table = self.selection.table
        if table.caveat:
            return f"{table.caveat}; reindex to be rid of what is extra"
        away = self.source.absent(table)
        if away:
            return f"{lacking(table, away)}; bring its nodes back and verify again"
        changed = self._changed()
        return f"{changed}: verify again when nothing is written to the table" if changed else ""

    def _changed(self) -> str:
        left = self.ledger.left()
        if any(part.windows for part in left):
            return "not every slice was read to its end"
        read, rows = sum(part.read for part in left), self.source.bounds(self.selection).rows
        if read != rows:
            return f"{read:,} rows were read, and {rows:,} are there now"
        if self.seen.again:
            return f"{self.seen.again:,} rows were read twice, or share an _id"
        return ""
