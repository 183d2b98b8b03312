"""Figures: medians and spreads over passes, and ratios within one pass. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.run import Compared, Run, Way

__all__ = ["Goal", "Line", "Round", "Spread", "bound", "goals", "lines", "spread"]

Round = Sequence[Run]
"""Ways, each once: all of them in the first."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What several passes measured.

    Attributes:
        median: the middle one.
        low: the smallest.
        high: the largest.
    """

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One way over all passes.

    Attributes:
        way: which.
        rate: rows a second.
        key column: by what factor `reindex` of the same round is faster.
        share: its rate in parts of the bound of the same round.
        peak_rss: the most memory that the client's process held in any round, in bytes.
        client: CPU seconds of the client, the median.
        client_us: CPU microseconds of the client for each row, the median.
        source_us: those of CrateDB; None where it is not on this machine.
        target_us: those of Elasticsearch, likewise.
        complete: whether every pass moved every row.
        passes: how many it ran in.
        compared: the table and what it wrote, in full, in the first of them; None where that was not looked at.
    """

    way: Way
    rate: Spread
    lead: Spread
    share: Spread
    peak_rss: int
    client: float
    client_us: float
    source_us: float | None
    target_us: float | None
    complete: bool
    rounds: int = 1
    compared: Compared | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to reach.

    Attributes:
        what: in words.
        wanted: the least that counts as reached, or the most where `most`.
        got: what was measured.
        most: whether less is better.
    """

    what: str
    wanted: float
    got: Spread
    most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the median is good enough."""
        return self.got.median <= self.wanted if self.most else self.got.median >= self.wanted


def spread(values: Iterable[float]) -> Spread:
    """The median, the smallest and the largest of at least one value."""
    some = list(values)
    return Spread(median(some), min(some), max(some))


def bound(one: Round) -> float:
    """Rows a second that reading and writing allow when one machine does both: `1/(1/read + 1/write)`."""
    return 1 / (1 / _of(one, Way.READ).rate + 1 / _of(one, Way.WRITE).rate)


def lines(rounds: Sequence[Round], rows: int) -> tuple[Line, ...]:
    """One line for each way, in the order of the first pass."""
    return tuple(_line(run.way, rounds, rows) for run in rounds[0])


def goals(found: Sequence[Line]) -> tuple[Goal, ...]:
    """What `reindex` is to reach, and what it did."""
    by_way = {line.way: line for line in found}
    ours = by_way[Way.REINDEX]
    megabytes = ours.peak_rss / 1e6
    return (
        Goal("reindex, in parts of the bound", 0.9, ours.share),
        Goal(f"reindex, in times of {Way.BULK}", 2.3, by_way[Way.BULK].lead),
        Goal(f"reindex, in times of {Way.PARALLEL}", 1.5, by_way[Way.PARALLEL].lead),
        Goal("reindex, peak memory in MB", 200, Spread(megabytes, megabytes, megabytes), most=True),
    )


def _line(way: Way, rounds: Sequence[Round], rows: int) -> Line:
    held = [one for one in rounds if any(run.way is way for run in one)]
    runs = [_of(one, way) for one in held]
    return Line(
        way=way,
        rate=spread(run.rate for run in runs),
        lead=spread(_lead(one, way) for one in held),
        share=spread(_of(one, way).rate / bound(one) for one in held),
        peak_rss=max(run.peak_rss for run in runs),
        client=median(run.spent.client for run in runs),
        client_us=median(1e6 * run.spent.client / run.rows for run in runs),
        source_us=_server_us(runs, lambda run: run.spent.source),
        target_us=_server_us(runs, lambda run: run.spent.target),
        complete=all(run.complete(rows) for run in runs),
        rounds=len(runs),
        compared=next((run.compared for run in runs if run.compared), None),
    )


def _server_us(runs: Sequence[Run], cpu: Callable[[Run], float | None]) -> float | None:
    spent = [(cpu(run), run.rows) for run in runs]
    known = [1e6 * seconds / rows for seconds, rows in spent if seconds is not None]
    return median(known) if known else None


def _lead(one: Round, way: Way) -> float:
    return _of(one, Way.REINDEX).rate / _of(one, way).rate


def _of(one: Round, way: Way) -> Run:
    return next(run for run in one if run.way is way)
