"""What a competitor is given and what one run of it gave. Only the standard library is imported.

The usual tools are not to carry this product's packages in their memory, and those of others have not got them.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from bench.meter.usage import Usage

__all__ = ["Competitor", "Differences", "Jdbc", "Moved", "Run", "Task", "answer"]


class Competitor(StrEnum):
    """What is compared, in the order in which a round runs it."""

    READ = "reading alone"
    WRITE = "writing alone"
    REINDEX = "reindex"
    BULK = "crate cursor + helpers.bulk"
    TUNED = "crate cursor + helpers.bulk, tuned"
    PARALLEL = "crate cursor + parallel_bulk, tuned"
    OFFSET = "OFFSET + helpers.bulk, tuned"
    LOGSTASH_SQL = "Logstash's SQL and batches (stand-in)"
    LOGSTASH = "Logstash"
    SPARK = "PySpark JDBC + elasticsearch-spark"
    DLT = "dlt"


@dataclass(frozen=True, slots=True)
class Jdbc:
    """CrateDB's PostgreSQL port, as JDBC takes it: the URL, the user and the password."""

    url: str = ""
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What a competitor is given.

    Attributes:
        competitor: which.
        source: CrateDB's URL.
        target: Elasticsearch's URL.
        table: the table to read, as SQL writes it.
        mapping: the overlay file that the index is made with; empty for what the columns' types say.
        alias: the alias that a plan is made for; it is never moved.
        index: the index to write, which is there; empty where nothing is written, or `reindex` makes its own.
        columns: those to select, `id` among them; `reindex` takes all.
        options: more options of `reindex`.
        folder: where the competitor may keep what it needs when it is run again; empty where it needs nothing.
        jdbc: for what speaks to CrateDB by JDBC alone.
    """

    competitor: Competitor
    source: str
    target: str
    table: str
    mapping: str
    alias: str
    index: str = ""
    columns: Sequence[str] = ()
    options: Sequence[str] = ()
    folder: str = ""
    jdbc: Jdbc = Jdbc()

    def by(self, competitor: Competitor) -> "Task":
        """The same task for another competitor."""
        return replace(self, competitor=competitor)


@dataclass(frozen=True, slots=True)
class Differences:
    """A table and an index compared in full, as `indexer verify --full --json` reports it.

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
    def none(self) -> bool:
        """Whether table and index hold the same."""
        return not (self.missing or self.extra or self.different)

    def __str__(self) -> str:
        return f"{self.missing:,} + {self.extra:,} + {self.different:,}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a competitor reports that is measured from outside.

    Attributes:
        rows: that it moved.
        seconds: from its first page to its last answer, without the start of its runtime where it can tell.
    """

    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a competitor.

    Attributes:
        competitor: which.
        rows: that it says it moved.
        usage: from the first page, or the first batch, to the last answer; CPU of `reindex` is that of its whole
            process, with planning and verification.
        peak_rss: peak memory of the client's process, in bytes.
        wall: seconds of the whole process.
        documents: what the index holds after a refresh; None where nothing is written.
        differences: between table and index; None where they were not compared.
    """

    competitor: Competitor
    rows: int
    usage: Usage
    peak_rss: int
    wall: float = 0.0
    documents: int | None = None
    differences: Differences | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.usage.seconds

    def complete(self, rows: int) -> bool:
        """Whether it moved as many rows as the table has, the index holds as many, and they are the same."""
        same = self.differences is None or self.differences.none
        return same and self.rows == rows and self.documents in {None, rows}

    def doubts(self, rows: int) -> tuple[str, ...]:
        """Why its figures are not trusted."""
        return self.usage.noise if self.complete(rows) else (*self.usage.noise, "it is not complete")


def answer(run: Callable[[Task], Run | Moved]) -> None:
    """Run a competitor in this process: the command line has its task as JSON, the result is printed as JSON."""
    told = json.loads(sys.argv[1])
    task = Task(**{**told, "competitor": Competitor(told["competitor"]), "jdbc": Jdbc(**told["jdbc"])})
    print(json.dumps(asdict(run(task))))
