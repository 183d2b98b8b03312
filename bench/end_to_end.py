"""End to end: `reindex` beside its bound and beside the usual ways, on the same rows and servers, in one run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bench.charts import Chart, Kind, Series
from bench.data import LOGS, make_logs
from bench.figures import Goal, Line, Spread, bound, goals, lines, spread
from bench.machine import Machine, look
from bench.record import Figure
from bench.restarts import Restart, measure_restarts
from bench.rounds import run_way, sweep
from bench.run import Run, Task, Way
from bench.servers import Urls
from indexer.job.overlay_file import shipped_mappings
from indexer.local.samples import SampleRow

__all__ = ["EndToEnd", "measure"]

_ALIAS: Final = "bench_logs"

_BASIC: Final = (Way.READ, Way.WRITE, Way.REINDEX, Way.BULK, Way.TUNED, Way.PARALLEL)
"""The ways that goals are about; OFFSET takes many times as long."""

_UNORDERED: Final = {Way.LOGSTASH}
"""What may lose rows without a fault of the benchmark's: pages in no order overlap. Its line says so."""


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """What was measured.

    Attributes:
        machine: where.
        rows: of the table.
        rounds: every way, once a round.
        restarts: each way killed at half-way, and run again.
    """

    machine: Machine
    rows: int
    rounds: tuple[tuple[Run, ...], ...]
    restarts: tuple[Restart, ...] = ()

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
            for doubt in (run.spent.noise if run.way in _UNORDERED else run.doubts(self.rows))
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


def measure(urls: Urls, rows: int, repeat: int, say: Callable[[str], None], *, basic: bool = False) -> EndToEnd:
    """Run every way `repeat` times, and kill each at half-way.

    Args:
        urls: the servers.
        rows: how many rows the table has; it is made where it is not there.
        repeat: how many rounds.
        say: is told what goes on.
        basic: only the ways that goals are about, and no kills.

    Raises:
        ChildFailed: where a way does not end well.
    """
    say(f"{'Made' if make_logs(urls.source, rows) else 'Found'} {LOGS} with {rows:,} rows.")
    mapping, columns = str(shipped_mappings() / "logs.yaml"), SampleRow._fields
    task = Task(Way.READ, urls.source, urls.target, str(LOGS), mapping, _ALIAS, columns=columns)
    sweep(task)
    say("Warming up: one reindex that does not count.")
    run_way(task.by(Way.REINDEX))
    ways = _BASIC if basic else tuple(Way)
    rounds = tuple(_round(task, ways, f"{number + 1}/{repeat}", say) for number in range(repeat))
    restarts = () if basic else measure_restarts(task, rows, say)
    sweep(task)
    return EndToEnd(look(urls.source, urls.target), rows, rounds, restarts)


def _round(task: Task, ways: Iterable[Way], number: str, say: Callable[[str], None]) -> tuple[Run, ...]:
    runs = []
    for way in ways:
        runs.append(run_way(task.by(way)))
        say(f"Round {number}, {way}: {runs[-1].rate:,.0f} rows/s.")
    return tuple(runs)
