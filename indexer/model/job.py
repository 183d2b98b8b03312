"""A job as it is kept in Elasticsearch: who runs it, what it does, what is left of it."""

from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final

from indexer.model.checkpoint import read_left, write_left
from indexer.model.json import JsonObject
from indexer.model.ledger import Left
from indexer.model.round import Round, read_round, write_round

__all__ = ["HELD", "RESUMABLE", "Holder", "JobState", "Status", "difference", "read_job", "write_job"]


class Status(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DONE = "done"
    REPAIRING = "repairing"
    """It is done, and its index is being repaired."""


RESUMABLE: Final = frozenset({Status.RUNNING, Status.INTERRUPTED, Status.FAILED})
"""A job that says it runs may be dead: whoever takes its lock over goes on with it."""

HELD: Final = frozenset({Status.RUNNING, Status.REPAIRING})
"""Who holds the lock of the alias, unless dead."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs a job.

    Attributes:
        host: its machine.
        pid: its number there.
        since: when it took the job, ISO 8601 in UTC.
        token: drawn for each job: no two holders are equal, whatever their names and numbers.
        place: the boot of the machine and the namespace that the process' number belongs to; empty where unknown.
        started: when the process started, in the clock ticks of that boot; 0 where unknown.
    """

    host: str
    pid: int
    since: str
    token: str
    place: str = ""
    started: int = 0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@dataclass(frozen=True, slots=True)
class JobState:
    """All that another process, on this machine or another, needs to go on with a job.

    Attributes:
        job: its name, which is also the new index's.
        alias: the target; one job at a time has its lock.
        table: the table that is read.
        status: where it stands.
        holder: who runs it, or ran it last.
        beat: grows with each write: a holder whose beat stands still is dead, whatever the clocks say.
        heartbeat: when it was last written, ISO 8601 in UTC: for people, nothing is decided by it.
        terms: what must be the same for a resume: the table's columns, the key, the filter, the mapping.
        left: what is left of each slice.
        rounds: what was read, or is being read, after the load.
        since: the highest value that the plan, or the last round, found of what the next round goes by; None where
            there was none.
        updates: what the source said of the updates of its rows when the job began; None where it does not matter, or
            the source cannot tell.
        nulled: NaN and infinite values that became null.
        error: why it failed, or empty.
        columns: the columns that documents were made of.
        mapping_file: what `--mapping` named, or empty.
        dead_letter_index: where dead letters were kept besides the file, or empty.
        hosts: the machines that ran it: each has the dead letters of its run in a file.
        settled: dead letters that are none any more: replayed, or of rows that are gone.
    """

    job: str
    alias: str
    table: str
    status: Status
    holder: Holder
    beat: int
    heartbeat: str
    terms: dict[str, str]
    left: tuple[Left, ...]
    rounds: tuple[Round, ...] = ()
    since: int | None = None
    updates: int | None = None
    nulled: int = 0
    error: str = ""
    columns: tuple[str, ...] = ()
    mapping_file: str = ""
    dead_letter_index: str = ""
    hosts: tuple[str, ...] = ()
    settled: int = 0

    @property
    def dead_letters(self) -> int:
        """How many dead letters there still are."""
        parts = (*self.left, *(part for one in self.rounds for part in one.left))
        return max(0, sum(part.dead for part in parts) - self.settled)

    @property
    def rows(self) -> int:
        """How many rows the plan counted."""
        return sum(part.rows for part in self.left)


def write_job(state: JobState) -> JsonObject:
    """A job as a document."""
    plain = asdict(replace(state, left=(), rounds=()))
    return {**plain, "left": write_left(state.left), "rounds": [write_round(one) for one in state.rounds]}


def read_job(content: dict[str, Any]) -> JobState:
    """The inverse of `write_job`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_job` made.
    """
    typed = {
        "status": Status(content["status"]),
        "holder": Holder(**content["holder"]),
        "left": read_left(content["left"]),
        "columns": tuple(content.get("columns", ())),
        "hosts": tuple(content.get("hosts", ())),
        "rounds": tuple(map(read_round, content["rounds"])),
    }
    known = {field.name for field in fields(JobState)}  # a later version may have written more
    return JobState(**{**{name: value for name, value in content.items() if name in known}, **typed})


def difference(before: dict[str, str], now: dict[str, str]) -> str:
    """The terms in which two plans differ, each with what it was and what it is; empty where they do not."""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return "; ".join(f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in names)
