"""End to end: `reindex` beside its bound and beside the usual ways, on the same rows and servers, in one run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.charts import Chart, Kind, Series
from bench.child import ChildFailed
from bench.data import LOGS, make_logs
from bench.figures import Goal, Line, Spread, bound, goals, lines, spread
from bench.machine import Machine, look
from bench.programs import OTHERS, Skipped, split
from bench.record import Figure
from bench.restarts import MOVERS, Restart, measure_restarts
from bench.rounds import run_way, sweep
from bench.run import Run, Task, Way
from bench.servers import Urls
from indexer.job.overlay_file import shipped_mappings
from indexer.model.table.table import TableName
from indexer.sandbox.sample_logs import SampleRow

__all__ = ["EndToEnd", "Plan", "measure"]

_ALIAS: Final = "bench_logs"

_SMALLER: Final = TableName("bench_killed", LOGS.schema)
"""The table that the ways are killed on: a run that is killed and repeated costs two and a half."""

_BASIC: Final = (Way.READ, Way.WRITE, Way.REINDEX, Way.BULK, Way.TUNED, Way.PARALLEL)
"""The ways that goals are about: they run in every pass, the others, which take many times as long, in the first."""

_MAY_LOSE: Final = {Way.STAND_IN, *OTHERS}
"""What may lose or change rows without a fault of the benchmark's, as pages in no order do. Its line says so."""


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """What was measured.

    Attributes:
        machine: where.
        rows: of the table.
        passes: every way, once a pass.
        restarts: each way killed at half-way, and run again.
        skipped: the ways that did not run or did not end well, each with its reason.
        killed_rows: of the table that the ways were killed on; it may be a smaller one.
    """

    machine: Machine
    rows: int
    rounds: tuple[tuple[Run, ...], ...]
    restarts: tuple[Restart, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    killed_rows: int = 0

    @property
    def lines(self) -> tuple[Line, ...]:
        """One line for each way."""
        return lines(self.rounds, self.rows)

    @property
    def bound(self) -> Spread:
        """Rows a second that reading alone and writing alone allow together."""
        return spread(map(bound, self.rounds))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why no goal can be judged: runs that others on this machine disturbed, or that lost rows."""
        return tuple(
            f"round {number}, {run.way}: {doubt}"
            for number, one in enumerate(self.rounds, 1)
            for run in one
            for doubt in (run.spent.noise if run.way in _MAY_LOSE else run.doubts(self.rows))
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What `reindex` is to reach."""
        return goals(self.lines)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Each way's speed and memory."""
        runs = {line.way: [run for one in self.rounds for run in one if run.way is line.way] for line in self.lines}
        rates = (Figure(str(way), "rows/s", tuple(run.rate for run in one), more=True) for way, one in runs.items())
        peaks = (Figure(f"{way}, peak", "MB", tuple(run.peak_rss / 1e6 for run in one)) for way, one in runs.items())
        return (*rates, *peaks)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Bars."""
        bars = (Series(str(line.way), ((0, line.rate.median),)) for line in self.lines)
        title = f"End to end: {self.rows:,} rows"
        return (Chart("end-to-end", title, Kind.BARS, "rows/s", "", tuple(bars)),)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rows: of the table that every way moves; it is made where it is not there.
        repeat: how many passes.
        killed: rows of the table that they are killed on at half-way; 0 for no kills.
        basic: only the ways that goals are about.
        others: whether the products of others run; installing what they need takes minutes, the first time.
    """

    rows: int
    repeat: int
    killed: int
    basic: bool = False
    others: bool = True

    @property
    def installs(self) -> bool:
        """Whether the products of others are looked for, and installed where they are missing."""
        return self.others and not self.basic

    @property
    def ways(self) -> tuple[tuple[Way, ...], tuple[Skipped, ...]]:
        """Those that run, and those that do not, each with its reason."""
        wanted = _BASIC if self.basic else tuple(way for way in Way if self.installs or way not in OTHERS)
        why = "left out by --basic" if self.basic else "left out by --no-others"
        able, unable = split(wanted)
        return able, (*(Skipped(way, why) for way in Way if way not in wanted), *unable)


def measure(urls: Urls, made: Plan, say: Callable[[str], None]) -> EndToEnd:
    """Run every way, and kill each at half-way.

    Args:
        urls: the servers.
        made: how much.
        say: is told what goes on.

    Raises:
        ChildFailed: where a way of the benchmark's own does not end well; one of others is skipped then.
    """
    if made.installs:
        say("Looking for the other products; what is missing is installed, which takes minutes.")
    ways, skipped = made.ways
    for one in skipped:
        say(str(one))
    task = _task(urls, LOGS, made.rows, say)
    sweep(task)
    say("Warming up: one reindex that does not count.")
    run_way(task.by(Way.REINDEX))
    rounds, failed = _rounds(task, ways, made.repeat, say)
    ran = [run.way for run in rounds[0] if run.way in MOVERS]
    restarts, unkilled = _restarts(urls, made.killed, ran, say)
    sweep(task)
    skipped += failed + unkilled
    return EndToEnd(look(urls.source, urls.target), made.rows, rounds, restarts, skipped, made.killed)


def _restarts(
    urls: Urls, rows: int, ways: Sequence[Way], say: Callable[[str], None]
) -> tuple[tuple[Restart, ...], tuple[Skipped, ...]]:
    return measure_restarts(_task(urls, _SMALLER, rows, say), rows, ways, say) if rows else ((), ())


def _task(urls: Urls, table: TableName, rows: int, say: Callable[[str], None]) -> Task:
    make_logs(urls.source, rows, say, table)
    mapping, columns = str(shipped_mappings() / "logs.yaml"), SampleRow._fields
    return Task(Way.READ, urls.source, urls.target, str(table), mapping, _ALIAS, columns=columns)


def _rounds(
    task: Task, ways: Sequence[Way], repeat: int, say: Callable[[str], None]
) -> tuple[tuple[tuple[Run, ...], ...], tuple[Skipped, ...]]:
    """All ways in the first pass, in which what they wrote is compared in full; then those that goals are about."""
    failed: list[Skipped] = []
    rounds = tuple(
        tuple(_round(task, ways if number == 1 else _BASIC, number, repeat, say, failed))
        for number in range(1, repeat + 1)
    )
    return rounds, tuple(failed)


def _round(
    task: Task, ways: Sequence[Way], number: int, repeat: int, say: Callable[[str], None], failed: list[Skipped]
) -> Iterator[Run]:
    for way in ways:
        try:
            run = run_way(task.by(way), compared=number == 1 and way in MOVERS)
        except ChildFailed as error:
            if way not in OTHERS:
                raise
            failed.append(Skipped(way, error.short))
            say(str(failed[-1]))
        else:
            say(f"Round {number}/{repeat}, {way}: {run.rate:,.0f} rows/s.")
            yield run
