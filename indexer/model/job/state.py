"""A job as it is kept in Elasticsearch: who runs it, what it does, and how far it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import orjson

from indexer.model.job.checkpoint import SliceProgress, read_slices, write_slices
from indexer.model.json import JsonObject
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column

__all__ = [
    "HELD",
    "RESUMABLE",
    "JobState",
    "JobStatus",
    "LockHolder",
    "Pass",
    "fingerprint_difference",
    "fingerprint_of",
    "read_job",
    "read_pass",
    "write_job",
    "write_pass",
]


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading after the load; its rows overwrite their documents, so it may read rows a second time.

    Attributes:
        column: the key column by which it reads.
        slices: the progress of each of its slices.
        full: whether it reads all rows; else those that were added, or some slices once more.
    """

    column: str
    slices: tuple[SliceProgress, ...]
    full: bool


def write_pass(each: Pass) -> JsonObject:
    """A pass as JSON."""
    return {"column": each.column, "full": each.full, "slices": write_slices(each.slices)}


def read_pass(content: Mapping[str, Any]) -> Pass:
    """The inverse of `write_pass`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_pass` made.
    """
    return Pass(str(content["column"]), read_slices(content["slices"]), bool(content["full"]))


class JobStatus(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DONE = "done"
    REPAIRING = "repairing"
    """It is done, and its index is being repaired."""


RESUMABLE: Final = frozenset({JobStatus.RUNNING, JobStatus.INTERRUPTED, JobStatus.FAILED})
"""A job that says it runs may be dead: whoever takes its lock over resumes it."""

HELD: Final = frozenset({JobStatus.RUNNING, JobStatus.REPAIRING})
"""Who holds the lock of the alias, unless dead."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The process that runs a job.

    Attributes:
        host: its machine.
        pid: its process id.
        since: when it took the job, ISO 8601 in UTC.
        token: random for each job, so that no two holders are equal.
        place: the boot of the machine and the namespace that the process id belongs to; empty where unknown.
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
    """All that another process, on this machine or another, needs to resume a job.

    Attributes:
        job: its name, which is also the new index's.
        alias: the target; one job at a time has its lock.
        table: the table that is read.
        status: where it stands.
        holder: who runs it, or ran it last.
        beat: grows with each write: a holder whose beat stands still is dead, whatever the clocks say.
        heartbeat: when it was last written, ISO 8601 in UTC: for people, nothing is decided by it.
        fingerprint: what must be the same for a resume: the table's columns, the key, the filter, the mapping.
        slices: the progress of each slice.
        passes: what was read, or is being read, after the load.
        since: the highest value, when the plan or the last pass was frozen, of the column that the next pass reads by;
            None where there was none.
        updates: the source's counter of updates when the job began; None where it does not matter, or the source has
            none.
        nulled: NaN and infinite values that became null.
        error: why it failed, or empty.
        columns: the columns that documents were made of.
        mapping_file: what `--mapping` named, or empty.
        dead_letter_index: where dead letters were kept besides the file, or empty.
        hosts: the machines that ran it: each has the dead letters of its run in a file.
        settled: dead letters that were replayed, or whose rows are gone.
    """

    job: str
    alias: str
    table: str
    status: JobStatus
    holder: LockHolder
    beat: int
    heartbeat: str
    fingerprint: dict[str, str]
    slices: tuple[SliceProgress, ...]
    passes: tuple[Pass, ...] = ()
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
        later = (progress for each in self.passes for progress in each.slices)
        return max(0, sum(progress.dead for progress in (*self.slices, *later)) - self.settled)

    @property
    def rows(self) -> int:
        """How many rows the plan counted."""
        return sum(progress.rows for progress in self.slices)


def write_job(state: JobState) -> JsonObject:
    """A job as a document."""
    plain = asdict(replace(state, slices=(), passes=()))
    return {**plain, "slices": write_slices(state.slices), "passes": [write_pass(each) for each in state.passes]}


def read_job(content: dict[str, Any]) -> JobState:
    """The inverse of `write_job`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_job` made.
    """
    typed = {
        "status": JobStatus(content["status"]),
        "holder": LockHolder(**content["holder"]),
        "slices": read_slices(content["slices"]),
        "columns": tuple(content.get("columns", ())),
        "hosts": tuple(content.get("hosts", ())),
        "passes": tuple(map(read_pass, content["passes"])),
    }
    known = {field.name for field in fields(JobState)}  # a later version may have written more
    return JobState(**{**{name: value for name, value in content.items() if name in known}, **typed})


def fingerprint_difference(before: dict[str, str], now: dict[str, str]) -> str:
    """What changed between two fingerprints, for people: `--where changed (none -> n < 5)`; empty where nothing did."""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return "; ".join(f"{name} changed ({before.get(name) or 'none'} -> {now.get(name) or 'none'})" for name in names)


def fingerprint_of(selection: Selection, mapping: IndexMapping, strategy: str, catch_up: str = "") -> dict[str, str]:
    """What must be the same for a resume, each by the name that a user knows; what is too long to show is a digest."""
    return {
        "table": str(selection.table.name),
        "columns": ", ".join(_shape(column) for column in selection.columns),
        "--key": ", ".join(selection.key.names),
        "--where": selection.where or "",
        "_id": ", ".join(column.name for column in selection.id_columns) or str(selection.row_id),
        "--strategy": strategy,
        "--catch-up": catch_up,
        "mapping": _digest({"mappings": mapping.mappings, "settings": mapping.settings}),
    }


def _shape(column: Column) -> str:
    inner = f" ({', '.join(map(_shape, column.children))})" if column.children else ""
    return f"{column.name} {column.type.sql or column.type.kind}{inner}"


def _digest(content: object) -> str:
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
