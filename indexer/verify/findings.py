"""What a verification found: how many ids are missing, extra or different in each slice, and the first few of them."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from math import ceil
from random import Random
from typing import Final

from indexer.model.job.checkpoint import SliceProgress
from indexer.model.json import JsonObject
from indexer.model.paging.window import Prefixes, Range

__all__ = [
    "CheckLevel",
    "Finding",
    "FindingKind",
    "Findings",
    "RepairResult",
    "SliceFindings",
    "Verification",
    "sample_slices",
    "slice_of",
]

FIRST: Final = 5
"""Findings of each slice that are kept whole; the rest are counted."""

_DEAD_LETTERS: Final = 3
_VERIFICATION_FAILED: Final = 4


class CheckLevel(StrEnum):
    """How closely to look."""

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
    kind: FindingKind
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
            "first": [{"_id": one.id, "kind": one.kind, "what": [*one.what]} for one in self.first],
        }


class Findings:
    """Collects what is found, slice by slice. Threads may share it."""

    def __init__(self, slices: Iterable[SliceProgress]) -> None:
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


def slice_of(value: object, slices: Iterable[SliceProgress]) -> int | None:
    """The slice whose range a key's value lies in; None where there is none, or slices are no ranges."""
    if type(value) is not int:
        return None
    for part in slices:
        for window in part.windows:
            if isinstance(window, Range) and window.lo < value <= window.hi:
                return part.number
    return None


@dataclass(frozen=True, slots=True)
class RepairResult:
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
        known = found[FindingKind.REJECTED] if self.check is CheckLevel.FULL else self.dead_letters
        return (
            known > 0
            and self.rows - self.documents == known
            and found.total() == found[FindingKind.REJECTED]
            and all(part.documents is None or part.documents <= part.rows for part in self.slices)
            and self.shard_rows in {None, self.rows}
        )

    @property
    def is_repaired(self) -> bool:
        """Whether all that was wrong has been put right, but for dead letters that were rejected once more."""
        found, repair = self.found, self.repair
        return (
            repair is not None
            and repair.deleted == found[FindingKind.EXTRA]
            and repair.written + repair.still_rejected == found.total() - found[FindingKind.EXTRA]
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
            **{kind.value: self.found[kind] for kind in FindingKind},
            "slices": [part.as_json() for part in self.slices],
            "left_out": [*self.left_out],
            "dead_letters": self.dead_letters,
            "repair": repair,
            "seconds": self.seconds,
            "rows_per_second": self.rows_per_second,
            "peak_rss_bytes": self.peak_rss_bytes,
        }


_LEAST: Final = 1_000
"""Rows below which a sample says nothing: then more is taken, of a small table everything."""


def sample_slices(slices: Sequence[SliceProgress], share: float, random: Random) -> tuple[SliceProgress, ...]:
    """About that share of the rows, each slice with its number; slices that nothing was drawn of are left out.

    Of each slice that is a range of keys, one range within it, anywhere, is taken. Text is taken by whole prefixes,
    and what has no ranges (rows without a key, a keyset) by whole slices, both drawn over the whole table.
    """
    rows = sum(part.rows for part in slices)
    share = max(share, min(1.0, _LEAST / max(1, rows)))
    if share >= 1:
        return tuple(slices)
    ranges = [part for part in slices if _range(part) is not None]
    others = [part for part in slices if _range(part) is None]
    return (*(_within(part, share, random) for part in ranges), *_drawn(others, share, random))


def _range(part: SliceProgress) -> Range | None:
    match part.windows:
        case (Range() as window,):
            return window
        case _:
            return None


def _within(part: SliceProgress, share: float, random: Random) -> SliceProgress:
    window = _range(part)
    if window is None:  # pragma: no cover - the caller has looked
        return part
    width = max(1, ceil((window.hi - window.lo) * share))
    lo = random.randint(window.lo, window.hi - width)
    return replace(part, windows=(Range(lo, lo + width),), rows=ceil(part.rows * share))


def _drawn(slices: Iterable[SliceProgress], share: float, random: Random) -> Iterable[SliceProgress]:
    pieces = [piece for part in slices for piece in _pieces(part)]
    wanted = sum(piece.rows for piece in pieces) * share
    random.shuffle(pieces)
    drawn: dict[int, SliceProgress] = {}
    for piece in pieces:
        if wanted <= 0:
            break
        wanted -= piece.rows
        before = drawn.get(piece.number, replace(piece, windows=(), rows=0))
        drawn[piece.number] = replace(before, windows=before.windows + piece.windows, rows=before.rows + piece.rows)
    return drawn.values()


def _pieces(part: SliceProgress) -> Iterator[SliceProgress]:
    for window in part.windows:
        if isinstance(window, Prefixes):
            for prefix in window.prefixes:
                yield replace(part, windows=(Prefixes((prefix,)),), rows=prefix.rows)
        else:
            yield part
