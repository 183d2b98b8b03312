"""Findings of a verification: how many ids are missing, extra or different in each slice, and the first few of them."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

from indexer.model.job.checkpoint import SliceProgress
from indexer.model.json import JsonObject
from indexer.model.paging.window import Range

__all__ = [
    "CheckLevel",
    "Finding",
    "FindingKind",
    "Findings",
    "RepairResult",
    "SliceFindings",
    "Verification",
    "slice_of",
]

_KEPT: Final = 5
"""Findings that are kept of each slice; the others are only counted."""

_DEAD_LETTERS: Final = 3
_VERIFICATION_FAILED: Final = 4


class CheckLevel(StrEnum):
    """How closely a table is compared with its index."""

    COUNTS = "counts"
    SAMPLE = "sample"
    FULL = "full"


class FindingKind(StrEnum):
    """What can be wrong with an id."""

    MISSING = "missing"
    """A row without a document."""
    REJECTED = "rejected"
    """A row without a document that is a dead letter: Elasticsearch rejected it when it was loaded."""
    EXTRA = "extra"
    """A document without a row."""
    DIFFERENT = "different"
    """A document that differs from its row."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One id that is wrong.

    Attributes:
        id: the `_id`.
        kind: what is wrong with it.
        what: the first fields of a document that differ, or the reason of a rejection.
    """

    id: str
    kind: FindingKind
    what: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.id}{': ' if self.what else ''}{'; '.join(self.what)}"


@dataclass(slots=True)
class SliceFindings:
    """What was found in one slice.

    Attributes:
        number: the slice; None for documents whose key lies in none.
        rows: rows that the source counted in it.
        documents: documents that the index counted in the same range of keys; None where they were not counted.
        found: the number of wrong ids, by kind.
        first: the first few of them.
    """

    number: int | None
    rows: int = 0
    documents: int | None = None
    found: Counter[FindingKind] = field(default_factory=Counter)
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
            **{kind.value: self.found[kind] for kind in FindingKind},
            "first": [{"_id": each.id, "kind": each.kind, "what": [*each.what]} for each in self.first],
        }


class Findings:
    """Collects what is found, slice by slice. Threads may share it."""

    def __init__(self, slices: Iterable[SliceProgress]) -> None:
        self._lock = threading.Lock()
        self._slices: dict[int | None, SliceFindings] = {
            each.number: SliceFindings(each.number, each.rows) for each in slices
        }

    def add(self, number: int | None, finding: Finding) -> None:
        """Record a wrong id."""
        with self._lock:
            slice_ = self._slice(number)
            slice_.found[finding.kind] += 1
            if len(slice_.first) < _KEPT:
                slice_.first.append(finding)

    def counted(self, number: int | None, documents: int) -> None:
        """Record how many documents the index holds in the slice's range of keys."""
        with self._lock:
            self._slice(number).documents = documents

    def _slice(self, number: int | None) -> SliceFindings:
        return self._slices.setdefault(number, SliceFindings(number))

    def wrong(self) -> tuple[SliceFindings, ...]:
        """The slices in which something is wrong."""
        with self._lock:
            return tuple(slice_ for slice_ in self._slices.values() if not slice_.is_clean)


def slice_of(value: object, slices: Iterable[SliceProgress]) -> int | None:
    """The slice whose range a key's value lies in; None where there is none, or slices are no ranges."""
    if type(value) is not int:
        return None
    for progress in slices:
        for window in progress.windows:
            if isinstance(window, Range) and window.lo < value <= window.hi:
                return progress.number
    return None


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What a repair did.

    Attributes:
        written: documents that were written.
        deleted: documents that were deleted.
        still_rejected: dead letters that Elasticsearch rejected once more.
        rejected: the first documents that Elasticsearch rejected, with its reasons.
        refused: why nothing was deleted; empty where there was nothing to delete, or it was deleted.
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
        table: the table.
        index: the index that it was compared with.
        check: how closely.
        rows: rows that the source counted.
        shard_rows: rows that its shards hold by `sys.shards`; None where it has none, or `--where` selects some.
        documents: documents that the index holds.
        compared: rows that were compared in every field.
        slices: those with something wrong.
        left_out: columns of the table that the index does not have, so that they were not compared.
        dead_letters: documents that the job which made the index could not write, as far as it is known.
        repair: what `--repair` did, or None.
        seconds: how long the comparison took.
        rows_per_second: rows compared a second.
        peak_rss_bytes: the most memory that the process held.
    """

    table: str
    index: str
    check: CheckLevel
    rows: int
    shard_rows: int | None
    documents: int
    compared: int
    slices: Sequence[SliceFindings]
    left_out: tuple[str, ...] = ()
    dead_letters: int = 0
    repair: RepairResult | None = None
    seconds: float = 0.0
    rows_per_second: float = 0.0
    peak_rss_bytes: int = 0

    @property
    def found(self) -> Counter[FindingKind]:
        """The number of wrong ids, by kind."""
        return sum((slice_.found for slice_ in self.slices), Counter())

    @property
    def is_same(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.slices and self.rows == self.documents and self.shard_rows in {None, self.rows}

    @property
    def lacks_only_dead_letters(self) -> bool:
        """Whether the index is as the job left it: the only rows without a document are its dead letters."""
        found = self.found
        known = found[FindingKind.REJECTED] if self.check is CheckLevel.FULL else self.dead_letters
        return (
            known > 0
            and self.rows - self.documents == known
            and found.total() == found[FindingKind.REJECTED]
            and all(each.documents is None or each.documents <= each.rows for each in self.slices)
            and self.shard_rows in {None, self.rows}
        )

    @property
    def is_repaired(self) -> bool:
        """Whether all that was wrong is repaired, except dead letters that were rejected once more."""
        found, repair = self.found, self.repair
        return (
            repair is not None
            and repair.deleted == found[FindingKind.EXTRA]
            and repair.written + repair.still_rejected == found.total() - found[FindingKind.EXTRA]
        )

    @property
    def exit_code(self) -> int:
        """0 where both are the same, or were repaired; 3 where only dead letters are missing; else 4."""
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
            **{kind.value: self.found[kind] for kind in FindingKind},
            "slices": [slice_.as_json() for slice_ in self.slices],
            "left_out": [*self.left_out],
            "dead_letters": self.dead_letters,
            "repair": repair,
            "seconds": self.seconds,
            "rows_per_second": self.rows_per_second,
            "peak_rss_bytes": self.peak_rss_bytes,
        }
