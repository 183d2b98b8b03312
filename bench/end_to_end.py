"""End to end: `reindex` beside its bound and beside the usual ways, on the same rows and servers, in one run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bench.data import LOGS, make_logs
from bench.figures import Goal, Line, Spread, bound, goals, lines, spread
from bench.machine import Machine, look
from bench.rounds import run_way, sweep
from bench.run import Run, Task, Way
from bench.servers import Urls
from indexer.job.overlay_file import shipped_mappings

__all__ = ["EndToEnd", "measure"]

_ALIAS: Final = "bench_logs"


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """What was measured.

    Attributes:
        machine: where.
        rows: of the table.
        rounds: every way, once a round.
    """

    machine: Machine
    rows: int
    rounds: tuple[tuple[Run, ...], ...]

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
            for doubt in run.doubts(self.rows)
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What `reindex` is to reach."""
        return goals(self.lines)


def measure(urls: Urls, rows: int, repeat: int, say: Callable[[str], None]) -> EndToEnd:
    """Run every way `repeat` times.

    Args:
        urls: the servers.
        rows: how many rows the table has; it is made where it is not there.
        repeat: how many rounds.
        say: is told what goes on.

    Raises:
        ChildFailed: where a way does not end well.
    """
    say(f"{'Made' if make_logs(urls.source, rows) else 'Found'} {LOGS} with {rows:,} rows.")
    task = Task(Way.READ, urls.source, urls.target, str(LOGS), str(shipped_mappings() / "logs.yaml"), _ALIAS)
    sweep(task)
    say("Warming up: one reindex that does not count.")
    run_way(replace(task, way=Way.REINDEX))
    rounds = tuple(_round(task, f"{number + 1}/{repeat}", say) for number in range(repeat))
    sweep(task)
    return EndToEnd(look(urls.source, urls.target), rows, rounds)


def _round(task: Task, number: str, say: Callable[[str], None]) -> tuple[Run, ...]:
    runs = []
    for way in Way:
        runs.append(run_way(replace(task, way=way)))
        say(f"Round {number}, {way}: {runs[-1].rate:,.0f} rows/s.")
    return tuple(runs)
