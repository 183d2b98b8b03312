"""One run of one way: what it is told, and what was measured.

Only the standard library is imported here: the usual ways are not to carry this product's packages in their memory.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Self

__all__ = ["NOISE", "Compared", "Moved", "Run", "Spent", "Task", "Way", "answer"]


NOISE = 0.15
"""The part of the machine's CPU time that others may take before a figure is not to be trusted."""


class Way(StrEnum):
    """The ways that are compared, in the order in which a pass runs them."""

    READ = "reading alone"
    WRITE = "writing alone"
    REINDEX = "reindex"
    BULK = "crate cursor + helpers.bulk"
    TUNED = "crate cursor + helpers.bulk, tuned"
    PARALLEL = "crate cursor + parallel_bulk, tuned"
    OFFSET_BULK = "OFFSET + helpers.bulk, tuned"
    OFFSET_PARALLEL = "OFFSET + parallel_bulk, tuned"
    STAND_IN = "Logstash's SQL and batches (stand-in)"
    LOGSTASH = "Logstash"
    SPARK = "PySpark JDBC + elasticsearch-spark"
    DLT = "dlt"
    SINGER = "Singer: tap-cratedb + target-elasticsearch"


@dataclass(frozen=True, slots=True)
class Task:
    """What a way is told.

    Attributes:
        way: which.
        source: CrateDB's URL.
        target: Elasticsearch's URL.
        table: the table to read, as SQL writes it.
        mapping: the overlay file that the index is made with; empty for what the columns' types say.
        alias: the alias that a plan is made for; it is never moved.
        index: the index to write, made already; empty where nothing is written, or `reindex` makes its own.
        columns: those that the usual ways select, `id` among them; `reindex` takes all.
        options: more options of `reindex`.
        folder: where the way may keep what it needs again when it is run once more; empty where it needs nothing.
    """

    way: Way
    source: str
    target: str
    table: str
    mapping: str
    alias: str
    index: str = ""
    columns: Sequence[str] = ()
    options: Sequence[str] = ()
    folder: str = ""

    def by(self, way: Way) -> "Task":
        """The same for another way."""
        return replace(self, way=way)


@dataclass(frozen=True, slots=True)
class Spent:
    """What something took, in seconds.

    Attributes:
        seconds: by the clock on the wall.
        client: CPU time of the measured process, user and system, all threads.
        source: CPU time of CrateDB; None where its process cannot be seen from here.
        target: CPU time of Elasticsearch, likewise; 0 where it takes no part.
        machine: CPU time of everything on this machine, all cores, with what its host took away.
    """

    seconds: float
    client: float
    source: float | None
    target: float | None
    machine: float

    @property
    def foreign(self) -> float | None:
        """The part, 0 to 1, of the machine's CPU time that went to none of the three; None where one is not seen."""
        if self.source is None or self.target is None or not self.machine:
            return None
        return max(0.0, 1 - (self.client + self.source + self.target) / self.machine)

    @property
    def noise(self) -> tuple[str, ...]:
        """One sentence part where others disturbed it; the kernel's own work for sockets takes some hundredths."""
        loud = self.foreign is not None and self.foreign > NOISE
        return (f"others took {self.foreign:.0%} of the CPU time",) if loud else ()

    def since(self, before: Self) -> "Spent":
        """What was spent from `before` to this."""
        return Spent(
            self.seconds - before.seconds,
            self.client - before.client,
            _less(self.source, before.source),
            _less(self.target, before.target),
            self.machine - before.machine,
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """A table and an index compared in full: what is used of the report of `indexer verify --full --json`.

    Attributes:
        compared: rows that were compared field by field.
        missing: rows without a document.
        extra: documents without a row.
        different: documents that are not what their row makes.
    """

    compared: int
    missing: int
    extra: int
    different: int

    @property
    def same(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.extra or self.different)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a way says that is measured from outside.

    Attributes:
        rows: that it moved.
        seconds: from asking for the first page to the last answer, without starting its runtime where it can tell.
    """

    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of one way, once.

    Attributes:
        way: which.
        rows: the rows that it says it moved.
        spent: from asking for the first page, or sending the first batch, to the last answer; of `reindex`, CPU is
            that of the whole process, with planning and verification.
        peak_rss: the most memory that the client's process held, in bytes.
        wall: seconds of the whole process, from starting Python to its end.
        documents: what the index holds after a refresh; None where nothing is written.
        compared: the table and the index in full; None where that was not looked at.
    """

    way: Way
    rows: int
    spent: Spent
    peak_rss: int
    wall: float = 0.0
    documents: int | None = None
    compared: Compared | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.spent.seconds

    def complete(self, rows: int) -> bool:
        """Whether it moved as many rows as the table has, the index holds as many, and they are the same."""
        same = self.compared is None or self.compared.same
        return same and self.rows == rows and self.documents in {None, rows}

    def doubts(self, rows: int) -> tuple[str, ...]:
        """Why its figures cannot be trusted."""
        return self.spent.noise if self.complete(rows) else (*self.spent.noise, "it is not complete")


def answer(run: Callable[[Task], Run | Moved]) -> None:
    """Run a way in this process: its task is the JSON in the command line, what was measured is printed as JSON."""
    told = json.loads(sys.argv[1])
    print(json.dumps(asdict(run(Task(**{**told, "way": Way(told["way"])})))))


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
