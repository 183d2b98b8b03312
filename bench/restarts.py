"""Restarts: what a kill at half-way leaves of each way, what the same command does then, and once more after that."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bench.child import ChildFailed, console_script
from bench.rounds import command, sweep
from bench.run import Task, Way
from bench.ways.ours import JOBS, settings_of
from indexer.job.reindex import plan
from indexer.target.client import Cluster, connect
from indexer.target.index import Indexes

__all__ = ["Compared", "Restart", "measure_restarts"]

_WAYS: Final = (Way.REINDEX, Way.TUNED, Way.PARALLEL, Way.OFFSET_BULK, Way.LOGSTASH)
_PAUSE: Final = 0.02
"""Seconds between two looks at how far it is."""

_PATIENCE: Final = 1_800
"""Seconds for one of them to reach the half."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is used of the report of `indexer verify --full --json`.

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


_COMPARED: Final = TypeAdapter(Compared)


@dataclass(frozen=True, slots=True)
class Restart:
    """One way, killed once.

    Attributes:
        way: which.
        left: documents in its index after the kill.
        resumed: seconds of the same command, run again.
        written: documents that it wrote then, overwritten ones too.
        after: the table and the index compared in full, after that.
        second: seconds of running it once more, with nothing left to do.
        rewritten: documents that this wrote.
    """

    way: Way
    left: int
    resumed: float
    written: int
    after: Compared
    second: float
    rewritten: int


def measure_restarts(task: Task, rows: int, say: Callable[[str], None]) -> tuple[Restart, ...]:
    """Kill each way once it has written half of the rows, and run it again twice.

    Args:
        task: the table and the servers; each way gets an index of its own.
        rows: of the table.
        say: is told what goes on.

    Raises:
        ChildFailed: where a way ends badly, or before it could be killed.
    """
    found = []
    with connect(settings_of(task).target_access) as cluster:
        for way in _WAYS:
            sweep(task)
            found.append(_reindex(cluster, task, rows) if way is Way.REINDEX else _usual(cluster, task.by(way), rows))
            say(f"Killed {way} at {found[-1].left:,} documents; run again, it wrote {found[-1].written:,}.")
        sweep(task)
    return tuple(found)


def _usual(cluster: Cluster, task: Task, rows: int) -> Restart:
    """The index is there before, and every run writes to it."""
    made, indexes = plan(settings_of(task)), Indexes(cluster)
    indexes.create(made.job, made.mapping.mappings, made.mapping.settings, {"job": made.job})
    return _restart(cluster, replace(task, index=made.job), rows, lambda: made.job)


def _reindex(cluster: Cluster, task: Task, rows: int) -> Restart:
    """It makes its own index; a run after the last one makes another."""
    return _restart(cluster, task.by(Way.REINDEX), rows, lambda: _newest(cluster, task))


def _restart(cluster: Cluster, task: Task, rows: int, index: Callable[[], str]) -> Restart:
    with _started(task) as process:
        _until(lambda: process.poll() is not None or _written(cluster, index()) >= rows / 2)
        if process.poll() is not None:
            raise ChildFailed(f"{task.way} ended before it could be killed at half-way: take more rows.")
    killed, before = index(), _written(cluster, index())
    left = _count(cluster, killed)
    resumed = _seconds(task)
    written = _written(cluster, index()) - (before if index() == killed else 0)
    after, name, before = _compare(task, index()), index(), _written(cluster, index())
    second = _seconds(task)
    rewritten = _written(cluster, index()) - (before if index() == name else 0)
    return Restart(task.way, left, resumed, written, after, second, rewritten)


@contextmanager
def _started(task: Task) -> Iterator["subprocess.Popen[bytes]"]:
    """The way, killed at the end of the block."""
    with subprocess.Popen(command(task), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not reached() and time.monotonic() < end:
        time.sleep(_PAUSE)


def _seconds(task: Task) -> float:
    began = time.perf_counter()
    done = subprocess.run(command(task), capture_output=True, check=False)
    if done.returncode:
        raise ChildFailed(f"{task.way}, run again, ended in {done.returncode}: {done.stderr.decode()[-1000:]}")
    return time.perf_counter() - began


def _newest(cluster: Cluster, task: Task) -> str:
    return max((one.name for one in Indexes(cluster).made_by_us(task.alias)), default="")


def _written(cluster: Cluster, index: str) -> int:
    """Documents written to the index so far, each time that one was."""
    if not index:
        return 0
    primaries = cluster.client.indices.stats(index=index, metric="indexing").body["_all"]["primaries"]
    total: int = primaries["indexing"]["index_total"] if primaries else 0  # a shard that has not started counts nothing
    return total


def _count(cluster: Cluster, index: str) -> int:
    cluster.client.indices.refresh(index=index)
    return Indexes(cluster).count(index)


def _compare(task: Task, index: str) -> Compared:
    done = subprocess.run(
        [
            *(console_script("indexer"), "verify", "--full", "--json", "--quiet"),
            *("--source", task.source, "--target", task.target, "--table", task.table),
            *(("--mapping", task.mapping) if task.mapping else ()),
            *("--index", index, "--jobs-index", JOBS),
        ],
        capture_output=True,
        check=False,
    )
    try:
        return _COMPARED.validate_json(done.stdout)
    except ValidationError as error:
        raise ChildFailed(f"{task.way}: verify ended in {done.returncode}: {done.stderr.decode()[-1000:]}") from error
