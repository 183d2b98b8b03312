"""Verifying in full: `indexer verify --full` of an index that `reindex` has just made of the table of sample logs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from pydantic import BaseModel

from bench.charts import Chart
from bench.child import finish
from bench.data import LOGS, make_logs
from bench.faults import verify_command
from bench.figures import Goal, Spread, spread
from bench.machine import Machine, look
from bench.meter import Meter, settle
from bench.record import Figure
from bench.rounds import sweep
from bench.run import Spent, Task, Way
from bench.servers import Urls
from bench.ways.ours import settings_of
from bench.ways.reindexing import reindex
from indexer.job.overlay_file import shipped_mappings
from indexer.sink.client import connect
from indexer.sink.index import Indexes

__all__ = ["Verified", "Verifying", "measure"]

_ALIAS: Final = "bench_verify"

_RATE: Final = 60_000
_MEGABYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification.

    Attributes:
        rows: the rows that were compared.
        same: whether table and index were the same, as they are.
        seconds: from asking for the first page to the last answer, by the command's own report.
        spent: of the whole process, with starting Python and dividing the table into slices.
        peak_rss: the most memory that the process held, in bytes.
    """

    rows: int
    same: bool
    seconds: float
    spent: Spent
    peak_rss: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    def doubts(self, rows: int) -> tuple[str, ...]:
        """Why its figures cannot be trusted."""
        whole = self.same and self.rows == rows
        return self.spent.noise if whole else (*self.spent.noise, "it did not compare every row, or found faults")


@dataclass(frozen=True, slots=True)
class Verifying:
    """What was measured.

    Attributes:
        machine: where.
        rows: of the table.
        passes: every verification.
    """

    machine: Machine
    rows: int
    rounds: tuple[Verified, ...]

    @property
    def rate(self) -> Spread:
        """Rows a second."""
        return spread(one.rate for one in self.rounds)

    @property
    def megabytes(self) -> Spread:
        """The most memory that the process held, in units of 10^6 bytes."""
        return spread(one.peak_rss / 1e6 for one in self.rounds)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What the goals are judged by."""
        return (
            Figure("verify --full", "rows/s", tuple(one.rate for one in self.rounds), more=True),
            Figure("peak memory of it", "MB", tuple(one.peak_rss / 1e6 for one in self.rounds)),
        )

    @property
    def charts(self) -> tuple[Chart, ...]:
        """None: two figures need no picture."""
        return ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why no goal can be judged."""
        return tuple(
            f"round {number}: {doubt}" for number, one in enumerate(self.rounds, 1) for doubt in one.doubts(self.rows)
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What `indexer verify --full` is to reach."""
        return (
            Goal("verify --full, rows/s", _RATE, self.rate),
            Goal("verify --full, peak memory in MB", _MEGABYTES, self.megabytes, most=True),
        )


class _Report(BaseModel):
    """What is used of the report that `indexer verify --json` prints."""

    compared: int
    same: bool
    seconds: float


def measure(urls: Urls, rows: int, repeat: int, say: Callable[[str], None]) -> Verifying:
    """Make the index once, and verify it `repeat` times.

    Args:
        urls: the servers.
        rows: how many rows the table has; it is made where it is not there.
        repeat: how many verifications count; one before them warms up.
        say: is told what goes on.

    Raises:
        ChildFailed: where a process does not end well, or finds a fault.
    """
    make_logs(urls.source, rows, say)
    task = Task(Way.REINDEX, urls.source, urls.target, str(LOGS), str(shipped_mappings() / "logs.yaml"), _ALIAS)
    say("Making the index.")
    with _made(task) as index:
        say("Warming up: one verification that does not count.")
        _verify(task, index)
        rounds = tuple(_round(task, index, number, repeat, say) for number in range(1, repeat + 1))
    return Verifying(look(urls.source, urls.target), rows, rounds)


@contextmanager
def _made(task: Task) -> Iterator[str]:
    sweep(task)
    _, index = reindex(task)
    try:
        yield index
    finally:
        with connect(settings_of(task).target_access) as cluster:
            Indexes(cluster).delete(index)


def _round(task: Task, index: str, number: int, repeat: int, say: Callable[[str], None]) -> Verified:
    found = _verify(task, index)
    say(f"Round {number}/{repeat}: {found.rate:,.0f} rows/s, {found.peak_rss / 1e6:,.0f} MB.")
    return found


def _verify(task: Task, index: str) -> Verified:
    settle()
    with Meter(task.source, task.target) as meter:
        done = finish(verify_command(task, index))
    report = _Report.model_validate_json(done.output)
    spent = replace(meter.spent, client=done.cpu)
    return Verified(report.compared, report.same, report.seconds, spent, done.peak_rss)
