"""Memory: the most that each competitor holds, by the width of a row, beside what `reindex` was allowed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.competitors.runner import delete_leftovers, run_competitor
from bench.competitors.task import Competitor, Run, Task
from bench.meter.child import ChildFailed
from bench.meter.machine import Machine, describe_machine
from bench.meter.servers import Servers
from bench.report.markdown import figure_tables, report
from bench.report.record import Chart, Figure, Goal, Record, Role, Spread
from bench.scenarios.tables import WIDE_COLUMNS, make_wide

__all__ = ["MIB", "WIDTHS", "Held", "MemoryPlan", "memory_record", "run_memory"]

MIB: Final = 1 << 20

WIDTHS: Final = (100, 1_000, 10_000, 100_000, 1_000_000)

_CONSTANT: Final = 120
"""MiB that Python, the packages and the largest single answer may take beside the bytes in flight."""

_COMPETITORS: Final = (Competitor.REINDEX, Competitor.BULK, Competitor.PARALLEL, Competitor.LOGSTASH_SQL)
_MOST_ROWS: Final = 300_000
"""Of a table: narrow rows end here, for the slowest competitor moves some thousands a second."""

_CHART: Final = Chart("memory", "Peak memory of the client by the width of a row", "bytes a row", "MiB", log_x=True)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How much is measured.

    Attributes:
        widths: bytes of a row.
        total: bytes of each table; narrow rows end earlier.
        memory: bytes of `--memory`.
        repeat: how many rounds.
    """

    widths: tuple[int, ...]
    total: int
    memory: int
    repeat: int


@dataclass(frozen=True, slots=True)
class Held:
    """One competitor at one width, once.

    Attributes:
        competitor: which.
        width: bytes of a row.
        rows: of the table.
        run: what was measured; None where it failed.
        error: why it failed.
    """

    competitor: Competitor
    width: int
    rows: int
    run: Run | None
    error: str | None = None

    def __str__(self) -> str:
        told = f"{self.run.peak_rss / MIB:,.0f} MiB" if self.run else f"failed: {self.error}"
        return f"{self.competitor}, rows of {self.width:,} bytes: {told}"


def run_memory(servers: Servers, plan: MemoryPlan, say: Callable[[str], None]) -> Record:
    """Move tables of rows of each width by each competitor."""
    held: list[Held] = []
    for width in plan.widths:
        rows = max(1, min(_MOST_ROWS, plan.total // width))
        table = make_wide(servers.source, width, rows)
        options, urls = ("--memory", str(plan.memory)), (servers.source, servers.target)
        task = Task(Competitor.REINDEX, *urls, str(table), "", table.name, columns=WIDE_COLUMNS, options=options)
        delete_leftovers(task)
        for competitor in _COMPETITORS * plan.repeat:
            held.append(_held(task.by(competitor), width, rows))
            say(f"{held[-1]}.")
        delete_leftovers(task)
    return memory_record(plan, describe_machine(servers.source, servers.target), held)


def memory_record(plan: MemoryPlan, machine: Machine, held: Sequence[Held]) -> Record:
    """The record, judged by `reindex` at its worst width; noise does not move a peak."""
    figures = tuple(_figures(plan, held))
    ours = [one.spread for one in figures if one.role is Role.OURS]
    worst = max(ours, key=lambda one: one.median, default=Spread(0, 0, 0))
    doubts = (
        f"reindex, rows of {one.width:,} bytes: {one.error or 'it is not complete'}"
        for one in held
        if one.competitor is Competitor.REINDEX and not (one.run and one.run.complete(one.rows))
    )
    what = f"reindex, peak MiB at the worst width, of --memory plus {_CONSTANT}"
    record = Record(
        bench="memory",
        settings=asdict(plan),
        machine=machine,
        figures=figures,
        measured=tuple(held),
        goals=(Goal(what, plan.memory / MIB + _CONSTANT, worst, most=True),),
        doubts=tuple(doubts),
        charts=(_CHART,),
    )
    return report(record, *figure_tables(record), *(str(one) for one in held if one.error))


def _figures(plan: MemoryPlan, held: Sequence[Held]) -> Iterator[Figure]:
    for competitor in dict.fromkeys(one.competitor for one in held):
        role = Role.OURS if competitor is Competitor.REINDEX else Role.OTHER
        for width in plan.widths:
            runs = [one.run for one in held if one.run and (one.competitor, one.width) == (competitor, width)]
            if runs:
                name, peaks = f"{competitor}, rows of {width:,} bytes, peak", tuple(run.peak_rss / MIB for run in runs)
                yield Figure(name, "MiB", peaks, role, _CHART.name, "", competitor, width)
    for width in plan.widths:
        name, allowed = f"--memory, rows of {width:,} bytes", (plan.memory / MIB,)
        yield Figure(name, "MiB", allowed, Role.CEILING, _CHART.name, "", "--memory of reindex", width)


def _held(task: Task, width: int, rows: int) -> Held:
    try:
        return Held(task.competitor, width, rows, run_competitor(task))
    except ChildFailed as error:
        return Held(task.competitor, width, rows, None, error.short)
