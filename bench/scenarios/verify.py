"""Verification: `indexer verify --full` of an index that `reindex` has just made of the table of sample logs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import BaseModel

from bench.competitors.reindex import bench_settings, run_reindex, verify_command
from bench.competitors.runner import delete_leftovers
from bench.competitors.task import Competitor, Task
from bench.meter.child import run_child
from bench.meter.machine import Machine, describe_machine
from bench.meter.meter import Meter, wait_until_idle
from bench.meter.servers import Servers
from bench.meter.usage import Usage
from bench.report.markdown import figure_tables, report
from bench.report.record import Figure, Goal, Record
from bench.scenarios.tables import LOGS, make_logs
from indexer.job.overlay_file import shipped_mappings
from indexer.sink.client import connect
from indexer.sink.index import Indexes

__all__ = ["Verified", "run_verify", "verify_record"]

_RATE: Final = 60_000
_MEGABYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Verified:
    """One verification.

    Attributes:
        rows: the rows that were compared.
        same: whether table and index were the same, as they are.
        seconds: from the first page to the last answer, by the command's own report.
        usage: of the whole process, with starting Python and slicing the table.
        peak_rss: peak memory of the process, in bytes.
    """

    rows: int
    same: bool
    seconds: float
    usage: Usage
    peak_rss: int

    def doubts(self, rows: int) -> tuple[str, ...]:
        """Why its figures are not trusted."""
        whole = self.same and self.rows == rows
        return self.usage.noise if whole else (*self.usage.noise, "it did not compare every row, or found faults")


class _Report(BaseModel):
    """What is used of the report that `indexer verify --json` prints."""

    compared: int
    same: bool
    seconds: float


def run_verify(servers: Servers, rows: int, repeat: int, say: Callable[[str], None]) -> Record:
    """Make the index once, and verify it `repeat` times; one time before them warms up.

    Raises:
        ChildFailed: where a process fails, or finds a fault.
    """
    make_logs(servers.source, rows, say)
    mapping = str(shipped_mappings() / "logs.yaml")
    task = Task(Competitor.REINDEX, servers.source, servers.target, str(LOGS), mapping, "bench_verify")
    say("Making the index.")
    delete_leftovers(task)
    _, index = run_reindex(task)
    try:
        say("Warming up: one verification that does not count.")
        _verify(task, index)
        rounds = tuple(_verify(task, index, say) for _ in range(repeat))
    finally:
        with connect(bench_settings(task).target_access) as cluster:
            Indexes(cluster).delete(index)
    return verify_record(rows, describe_machine(servers.source, servers.target), rounds)


def verify_record(rows: int, machine: Machine, rounds: Sequence[Verified]) -> Record:
    """The record of these verifications of a table of so many rows."""
    rates = Figure("verify --full", "rows/s", tuple(one.rows / one.seconds for one in rounds), more=True)
    peaks = Figure("verify --full, peak memory", "MB", tuple(one.peak_rss / 1e6 for one in rounds))
    seconds = {
        "client": [one.usage.client for one in rounds],
        "CrateDB": [one.usage.source for one in rounds if one.usage.source is not None],
        "Elasticsearch": [one.usage.target for one in rounds if one.usage.target is not None],
    }
    cpu = (
        Figure(f"verify --full, CPU of {name}", "µs/row", tuple(1e6 * each / rows for each in some))
        for name, some in seconds.items()
        if some
    )
    record = Record(
        bench="verify",
        settings={"rows": rows, "repeat": len(rounds)},
        machine=machine,
        figures=(rates, peaks, *cpu),
        measured=tuple(rounds),
        goals=(
            Goal("verify --full, rows/s", _RATE, rates.spread),
            Goal("verify --full, peak memory in MB", _MEGABYTES, peaks.spread, most=True),
        ),
        doubts=tuple(f"round {place}: {doubt}" for place, one in enumerate(rounds, 1) for doubt in one.doubts(rows)),
    )
    how = (
        f"{rows:,} rows, each compared field by field by `indexer verify --full`. rows/s are the command's own: from"
        " the first page to the last answer. Memory and CPU are those of its whole process."
    )
    return report(record, how, *figure_tables(record))


def _verify(task: Task, index: str, say: Callable[[str], None] = lambda _: None) -> Verified:
    wait_until_idle()
    with Meter(task.source, task.target) as meter:
        done = run_child(verify_command(task, index))
    told = _Report.model_validate_json(done.output)
    say(f"{told.compared / told.seconds:,.0f} rows/s, {done.peak_rss / 1e6:,.0f} MB.")
    return Verified(told.compared, told.same, told.seconds, replace(meter.usage, client=done.cpu), done.peak_rss)
