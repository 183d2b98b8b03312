"""What a verification found: how many ids are missing, extra or different in each slice, and the first few of them."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

from indexer.model.json import JsonObject
from indexer.model.ledger import Left
from indexer.model.window import Range

__all__ = ["Check", "Finding", "Findings", "Kind", "Repair", "SliceFindings", "Verification", "slice_of"]

FIRST: Final = 5
"""Findings of each slice that are kept whole; the rest are counted."""

_DEAD_LETTERS: Final = 3
_VERIFICATION_FAILED: Final = 4


class Check(StrEnum):
    """How closely to look."""

    COUNTS = "counts"
    SAMPLE = "sample"
    FULL = "full"


class Kind(StrEnum):
    """What can be wrong with an id."""

    MISSING = "missing"
    """A row without a document."""
    REJECTED = "rejected"
    """A row without a document that is a dead letter: Elasticsearch rejected it when it was loaded."""
    EXTRA = "extra"
    """A document without a row."""
    DIFFERENT = "different"
    """A document that is not its row's."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One id that is wrong.

    Attributes:
        id: the `_id`.
        kind: in which way.
        what: for a different document, the first fields that differ.
    """

    id: str
    kind: Kind
    what: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.id}{': ' if self.what else ''}{'; '.join(self.what)}"


@dataclass(slots=True)
class SliceFindings:
    """What was found in one slice.

    Attributes:
        number: the slice; None for documents whose key lies in none.
        rows: how many rows the source counted in it.
        documents: how many documents the index counted in the same range of keys; None where that was not asked.
        found: how many ids are wrong, in which way.
        first: the first few of them.
    """

    number: int | None
    rows: int = 0
    documents: int | None = None
    found: Counter[Kind] = field(default_factory=Counter)
    first: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong in it."""
        return not self.found.total() and self.documents in {None, self.rows}

    def as_json(self) -> JsonObject:
        """As one JSON object."""
        return {
            "slice": self.number,
            "rows": self.rows,
            "documents": self.documents,
            **{kind.value: self.found[kind] for kind in Kind},
            "first": [{"_id": one.id, "kind": one.kind, "what": [*one.what]} for one in self.first],
        }


class Findings:
    """Collects what is found, slice by slice. Threads may share it."""

    def __init__(self, slices: Iterable[Left]) -> None:
        self._lock = threading.Lock()
        self._slices: dict[int | None, SliceFindings] = {
            part.number: SliceFindings(part.number, part.rows) for part in slices
        }

    def add(self, number: int | None, finding: Finding) -> None:
        """An id is wrong."""
        with self._lock:
            part = self._of(number)
            part.found[finding.kind] += 1
            if len(part.first) < FIRST:
                part.first.append(finding)

    def counted(self, number: int | None, documents: int) -> None:
        """The index holds so many documents in the slice's range of keys."""
        with self._lock:
            self._of(number).documents = documents

    def _of(self, number: int | None) -> SliceFindings:
        return self._slices.setdefault(number, SliceFindings(number))

    def wrong(self) -> tuple[SliceFindings, ...]:
        """The slices in which something is wrong."""
        with self._lock:
            return tuple(part for part in self._slices.values() if not part.is_clean)


def slice_of(value: object, slices: Iterable[Left]) -> int | None:
    """The slice whose range a key's value lies in; None where there is none, or slices are no ranges."""
    if type(value) is not int:
        return None
    for part in slices:
        for window in part.windows:
            if isinstance(window, Range) and window.lo < value <= window.hi:
                return part.number
    return None


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did.

    Attributes:
        written: documents written anew.
        deleted: documents deleted.
        still_rejected: dead letters that Elasticsearch rejected once more.
        rejected: documents that Elasticsearch would not take, the first of them, with its reason.
        refused: why nothing was deleted; empty where there was nothing to delete, or it was.
    """

    written: int = 0
    deleted: int = 0
    still_rejected: int = 0
    rejected: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification did and found.

    Attributes:
        table: the source.
        index: the index that it was compared with.
        check: how closely.
        rows: how many rows the source counted.
        shard_rows: how many rows its shards hold by `sys.shards`; None where the source has none or `--where` narrows.
        documents: how many documents the index holds.
        compared: how many rows were compared, every field of them.
        slices: those with something wrong.
        left_out: columns of the table that the index does not have, and that were not compared.
        dead_letters: documents that the job which made the index could not write, as far as it is known.
        repair: what `--repair` did, or None.
        seconds: how long the comparison took.
        rows_per_second: rows compared a second.
        peak_rss_bytes: the process' peak memory.
    """

    table: str
    index: str
    check: Check
    rows: int
    shard_rows: int | None
    documents: int
    compared: int
    slices: Sequence[SliceFindings]
    left_out: tuple[str, ...] = ()
    dead_letters: int = 0
    repair: Repair | None = None
    seconds: float = 0.0
    rows_per_second: float = 0.0
    peak_rss_bytes: int = 0

    @property
    def found(self) -> Counter[Kind]:
        """How many ids are wrong in all."""
        return sum((part.found for part in self.slices), Counter())

    @property
    def is_same(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.slices and self.rows == self.documents and self.shard_rows in {None, self.rows}

    @property
    def lacks_only_dead_letters(self) -> bool:
        """Whether the index is as the job left it: the only rows without a document are its dead letters."""
        found = self.found
        known = found[Kind.REJECTED] if self.check is Check.FULL else self.dead_letters
        return (
            known > 0
            and self.rows - self.documents == known
            and found.total() == found[Kind.REJECTED]
            and all(part.documents is None or part.documents <= part.rows for part in self.slices)
            and self.shard_rows in {None, self.rows}
        )

    @property
    def is_repaired(self) -> bool:
        """Whether all that was wrong has been put right, but for dead letters that were rejected once more."""
        found, repair = self.found, self.repair
        return (
            repair is not None
            and repair.deleted == found[Kind.EXTRA]
            and repair.written + repair.still_rejected == found.total() - found[Kind.EXTRA]
        )

    @property
    def exit_code(self) -> int:
        """0 where both are the same, or are by now; 3 where only dead letters are missing; else 4."""
        if self.is_same:
            return 0
        if self.repair is not None and self.is_repaired:
            return _DEAD_LETTERS if self.repair.still_rejected else 0
        return _DEAD_LETTERS if self.lacks_only_dead_letters else _VERIFICATION_FAILED

    def as_json(self) -> JsonObject:
        """As one JSON object."""
        repair: JsonObject | None = asdict(self.repair) if self.repair else None
        return {
            "table": self.table,
            "index": self.index,
            "check": self.check,
            "rows": self.rows,
            "shard_rows": self.shard_rows,
            "documents": self.documents,
            "compared": self.compared,
            "same": self.is_same,
            **{kind.value: self.found[kind] for kind in Kind},
            "slices": [part.as_json() for part in self.slices],
            "left_out": [*self.left_out],
            "dead_letters": self.dead_letters,
            "repair": repair,
            "seconds": self.seconds,
            "rows_per_second": self.rows_per_second,
            "peak_rss_bytes": self.peak_rss_bytes,
        }
