"""Restarts: what a kill at half-way leaves of each way, what the same command does then, and once more after that."""

import subprocess
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from elasticsearch.exceptions import GeneralAvailabilityWarning

from bench.child import ChildFailed
from bench.family import kill_family
from bench.faults import compare
from bench.programs import OTHERS, Skipped, command, killable
from bench.rounds import own_folder, own_index, sweep
from bench.run import Compared, Task, Way
from bench.ways.ours import settings_of
from indexer.sandbox.process import wait_until
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes

__all__ = ["MOVERS", "Restart", "measure_restarts"]

MOVERS: Final = tuple(way for way in Way if way not in {Way.READ, Way.WRITE})
"""The ways that move rows: those that anyone may kill."""

_PATIENCE: Final = 1_800
"""Seconds for one of them to reach the half, and for the server to end what it was sent."""


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


def measure_restarts(
    task: Task, rows: int, ways: Iterable[Way], say: Callable[[str], None]
) -> tuple[tuple[Restart, ...], tuple[Skipped, ...]]:
    """Kill each way once it has written half of the rows, and run it again twice.

    Args:
        task: the table and the servers; each way gets an index of its own.
        rows: of the table.
        ways: which of those that move rows.
        say: is told what goes on.

    Returns:
        what was found, and what was not killed or ended badly, each with its reason.

    Raises:
        ChildFailed: where a way of the benchmark's own ends badly, or before it could be killed.
    """
    able, skipped = killable(ways)
    found, failed = list[Restart](), list(skipped)
    for one in skipped:
        say(str(one))
    with connect(settings_of(task).target_access) as cluster:
        for way in able:
            sweep(task)
            try:
                found.append(_killed(cluster, task.by(way), rows))
            except ChildFailed as error:
                if way not in OTHERS:
                    raise
                failed.append(Skipped(way, f"killed at half-way: {error.short}"))
                say(str(failed[-1]))
            else:
                say(f"Killed {way} at {found[-1].left:,} documents; run again, it wrote {found[-1].written:,}.")
        sweep(task)
    return tuple(found), tuple(failed)


def _killed(cluster: Cluster, task: Task, rows: int) -> Restart:
    with own_folder(task) as told:
        return (_reindex if task.way is Way.REINDEX else _usual)(cluster, told, rows)


def _usual(cluster: Cluster, task: Task, rows: int) -> Restart:
    """The index is there before, and every run writes to it."""
    with own_index(cluster, task) as (told, _):
        return _restart(cluster, told, rows, lambda: told.index)


def _reindex(cluster: Cluster, task: Task, rows: int) -> Restart:
    """It makes its own index; a run after the last one makes another."""
    return _restart(cluster, task, rows, lambda: _newest(cluster, task))


def _restart(cluster: Cluster, task: Task, rows: int, index: Callable[[], str]) -> Restart:
    _kill_at_half(cluster, task, rows, index)
    killed, before = index(), _written(cluster, index())
    left = _count(cluster, killed)
    resumed = _seconds(task)
    written = _written(cluster, index()) - (before if index() == killed else 0)
    after, name, before = compare(task, index()), index(), _written(cluster, index())
    second = _seconds(task)
    rewritten = _written(cluster, index()) - (before if index() == name else 0)
    return Restart(task.way, left, resumed, written, after, second, rewritten)


def _kill_at_half(cluster: Cluster, task: Task, rows: int, index: Callable[[], str]) -> None:
    """Start the way and kill it once it has written half of the rows; the server ends what it was sent till then."""
    with _started(task) as process:
        _until(
            lambda: process.poll() is not None or _written(cluster, index()) >= rows / 2,
            f"{task.way} did not write half of the rows",
        )
        if process.poll() is not None:
            raise ChildFailed(f"{task.way} ended before it could be killed at half-way: take more rows.")
    looks: list[int] = []

    def at_rest() -> bool:
        looks.append(_written(cluster, index()))
        return not _bulks(cluster) and looks[-1:] == looks[-2:-1]  # what waits in a socket is no task yet

    _until(at_rest, f"{task.way} was killed, but Elasticsearch did not end what it was sent")


@contextmanager
def _started(task: Task) -> Iterator["subprocess.Popen[bytes]"]:
    """The way, killed at the end of the block."""
    with subprocess.Popen(command(task), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            kill_family(process)


def _until(reached: Callable[[], bool], otherwise: str) -> None:
    if not wait_until(reached, _PATIENCE):
        raise ChildFailed(f"{otherwise} within {_PATIENCE:,} s.")


def _seconds(task: Task) -> float:
    began = time.perf_counter()
    done = subprocess.run(command(task), capture_output=True, check=False)
    if done.returncode:
        raise ChildFailed(f"{task.way}, run again, ended in {done.returncode}: {done.stderr.decode()[-1000:]}")
    return time.perf_counter() - began


def _newest(cluster: Cluster, task: Task) -> str:
    return max((one.name for one in Indexes(cluster).own(task.alias)), default="")


def _written(cluster: Cluster, index: str) -> int:
    """Documents written to the index so far, each time that one was."""
    if not index:
        return 0
    primaries = cluster.client.indices.stats(index=index, metric="indexing").body["_all"]["primaries"]
    total: int = primaries["indexing"]["index_total"] if primaries else 0  # a shard that has not started counts nothing
    return total


def _bulks(cluster: Cluster) -> bool:
    """Whether the server still works on what it was sent: a kill of the sender does not stop that."""
    with warnings.catch_warnings(
        action="ignore", category=GeneralAvailabilityWarning
    ):  # it may change, says the client
        nodes = cluster.client.tasks.list(actions="*bulk*").body.get("nodes", {})
    return any(node.get("tasks") for node in nodes.values())


def _count(cluster: Cluster, index: str) -> int:
    cluster.client.indices.refresh(index=index)
    return Indexes(cluster).count(index)
