"""Kills: what a kill at half-way leaves of a competitor, what the same command does then, and once more after that."""

import subprocess
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from elasticsearch.exceptions import GeneralAvailabilityWarning

from bench.competitors.catalog import OTHER_PRODUCTS, Skipped, command
from bench.competitors.reindex import bench_settings, find_differences
from bench.competitors.runner import delete_leftovers, own_folder, own_index
from bench.competitors.task import Competitor, Differences, Task
from bench.meter.child import ChildFailed, kill_family
from bench.report.markdown import table
from indexer.sandbox.process import wait_until
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes

__all__ = ["MOVERS", "Kill", "kill_each", "kill_report"]

MOVERS: Final = tuple(one for one in Competitor if one not in {Competitor.READ, Competitor.WRITE})
"""Those that move rows, and so may be killed."""

_PATIENCE: Final = 1_800
"""Seconds for one of them to reach the half, and for the server to end what it was sent."""

_NOTE: Final = (
    "Each was killed (SIGKILL) once it had written half of the rows, then run again by the same command, and once more."
    " What is left of the usual ways lies in the index that readers see; reindex moves the alias at its end only."
    " Missing (rows without a document), extra (documents without a row) and different are what `indexer verify --full`"
    " found after the first of the two runs. Seconds are of whole processes."
)

_HEAD: Final = (
    "competitor",
    "left by the kill",
    "run again, it wrote",
    "then missing + extra + different",
    "a second run wrote",
)


@dataclass(frozen=True, slots=True)
class Kill:
    """One competitor, killed once.

    Attributes:
        competitor: which.
        left: documents in its index after the kill.
        resumed: seconds of the same command, run again.
        written: documents that it wrote then, overwritten ones too.
        after: the differences between table and index after that.
        second: seconds of running it once more, with nothing left to do.
        rewritten: documents that this wrote.
    """

    competitor: Competitor
    left: int
    resumed: float
    written: int
    after: Differences
    second: float
    rewritten: int


def kill_each(
    task: Task, rows: int, competitors: Iterable[Competitor], say: Callable[[str], None]
) -> tuple[tuple[Kill, ...], tuple[Skipped, ...]]:
    """Kill each once it has written half of the rows, and run it again twice.

    Args:
        task: the table and the servers; each gets an index of its own.
        rows: of the table.
        competitors: those that only read or write are left out.
        say: is told what goes on.

    Returns:
        what was found, and what failed, each with its reason.

    Raises:
        ChildFailed: where one of the benchmark's own fails, or ends before it could be killed.
    """
    found, failed = list[Kill](), list[Skipped]()
    with connect(bench_settings(task).target_access) as cluster:
        for one in (one for one in competitors if one in MOVERS):
            delete_leftovers(task)
            try:
                found.append(_kill(cluster, task.by(one), rows))
            except ChildFailed as error:
                if one not in OTHER_PRODUCTS:
                    raise
                failed.append(Skipped(one, f"killed at half-way: {error.short}"))
                say(str(failed[-1]))
            else:
                say(f"Killed {one} at {found[-1].left:,} documents; run again, it wrote {found[-1].written:,}.")
        delete_leftovers(task)
    return tuple(found), tuple(failed)


def kill_report(kills: Sequence[Kill], rows: int) -> str:
    """What was found, as a table."""
    cells = [
        (
            one.competitor,
            f"{one.left:,}",
            f"{one.written:,} in {one.resumed:,.1f} s",
            str(one.after),
            f"{one.rewritten:,} in {one.second:,.1f} s",
        )
        for one in kills
    ]
    return f"A table of {rows:,} rows. {_NOTE}\n\n{table(_HEAD, cells)}"


def _kill(cluster: Cluster, task: Task, rows: int) -> Kill:
    with own_folder(task) as told:
        if task.competitor is Competitor.REINDEX:  # It makes its own index; a run after the last one makes another.
            return _Victim(cluster, told, lambda: _newest(cluster, task)).restart(rows)
        with own_index(cluster, told) as (made, _):
            return _Victim(cluster, made, lambda: made.index).restart(rows)


@dataclass(frozen=True, slots=True)
class _Victim:
    """A competitor that is killed, and the name of the index that it writes now."""

    cluster: Cluster
    task: Task
    index: Callable[[], str]

    def restart(self, rows: int) -> Kill:
        """Kill it at half-way, and run it again twice."""
        self._kill_at_half(rows)
        killed, before = self.index(), self._written()
        self.cluster.client.indices.refresh(index=killed)
        left = Indexes(self.cluster).count(killed)
        resumed = self._run()
        written = self._written() - (before if self.index() == killed else 0)
        name, before = self.index(), self._written()
        after = find_differences(self.task, name)
        second = self._run()
        rewritten = self._written() - (before if self.index() == name else 0)
        return Kill(self.task.competitor, left, resumed, written, after, second, rewritten)

    def _kill_at_half(self, rows: int) -> None:
        """The server still works on what it was sent till then: that is waited for."""
        who = self.task.competitor
        with subprocess.Popen(command(self.task), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                self._until(
                    lambda: process.poll() is not None or self._written() >= rows / 2,
                    f"{who} did not write half of the rows",
                )
                if process.poll() is not None:
                    raise ChildFailed(f"{who} ended before it could be killed at half-way: take more rows.")
            finally:
                kill_family(process)
        looks: list[int] = []

        def at_rest() -> bool:
            looks.append(self._written())
            return not self._bulks() and looks[-1:] == looks[-2:-1]  # what waits in a socket is no task yet

        self._until(at_rest, f"{who} was killed, but Elasticsearch did not end what it was sent")

    def _until(self, reached: Callable[[], bool], otherwise: str) -> None:
        if not wait_until(reached, _PATIENCE):
            raise ChildFailed(f"{otherwise} within {_PATIENCE:,} s.")

    def _run(self) -> float:
        """Seconds of the whole command."""
        began = time.perf_counter()
        done = subprocess.run(command(self.task), capture_output=True, check=False)
        if done.returncode:
            reason = done.stderr.decode()[-1000:]
            raise ChildFailed(f"{self.task.competitor}, run again, ended with exit code {done.returncode}: {reason}")
        return time.perf_counter() - began

    def _written(self) -> int:
        """Documents written to the index so far, each time that one was."""
        index = self.index()
        if not index:
            return 0
        primaries = self.cluster.client.indices.stats(index=index, metric="indexing").body["_all"]["primaries"]
        total: int = primaries["indexing"]["index_total"] if primaries else 0  # a shard that starts counts nothing yet
        return total

    def _bulks(self) -> bool:
        """Whether the server still works on bulk requests: a kill of the sender does not stop that."""
        with warnings.catch_warnings(action="ignore", category=GeneralAvailabilityWarning):  # the API may change
            nodes = self.cluster.client.tasks.list(actions="*bulk*").body.get("nodes", {})
        return any(node.get("tasks") for node in nodes.values())


def _newest(cluster: Cluster, task: Task) -> str:
    return max((one.name for one in Indexes(cluster).own(task.alias)), default="")
