"""Competitors beside each other: medians over rounds, ratios within a round, the bound, and the goals of `reindex`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.competitors.task import Competitor, Differences, Run
from bench.report.markdown import number, table
from bench.report.record import Figure, Goal, Role, Spread, spread

__all__ = ["Line", "Round", "bound", "goals", "lines", "ranking_figures", "ranking_table"]

Round = Sequence[Run]
"""Competitors, each once: all of them in the first round."""

_BOUND: Final = "bound `1/(1/read + 1/write)`"
_CEILINGS: Final = (Competitor.READ, Competitor.WRITE)
_HEAD: Final = (
    "competitor",
    "rows/s, median (min-max)",
    "reindex is faster by",
    "of the bound",
    "peak MB",
    "client CPU s",
    "CPU µs/row: client + CrateDB + Elasticsearch",
    "complete",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One competitor over all rounds.

    Attributes:
        competitor: which.
        rates: rows a second, of each round.
        lead: by what factor `reindex` of the same round is faster.
        share: its rate as a fraction of the bound of the same round.
        peak_rss: the most memory that the client's process held in any round, in bytes.
        client: CPU seconds of the client, the median.
        microseconds: CPU a row of client, CrateDB and Elasticsearch, medians; None where one is not on this machine.
        complete: whether every round moved every row.
        differences: between table and index in the first round; None where they were not compared.
    """

    competitor: Competitor
    rates: tuple[float, ...]
    lead: Spread
    share: Spread
    peak_rss: int
    client: float
    microseconds: tuple[float | None, float | None, float | None]
    complete: bool
    differences: Differences | None


def bound(one: Round) -> float:
    """Rows a second that reading and writing allow when one machine does both: `1/(1/read + 1/write)`."""
    return 1 / sum(1 / _of(one, ceiling).rate for ceiling in _CEILINGS)


def lines(rounds: Sequence[Round], rows: int) -> tuple[Line, ...]:
    """One line for each competitor, in the order of the first round."""
    return tuple(_line(run.competitor, rounds, rows) for run in rounds[0])


def goals(found: Sequence[Line]) -> tuple[Goal, ...]:
    """What `reindex` is to reach, and what it did."""
    of = {line.competitor: line for line in found}
    ours = of[Competitor.REINDEX]
    return (
        Goal("reindex, in parts of the bound", 0.9, ours.share),
        Goal(f"reindex, in times of {Competitor.BULK}", 2.3, of[Competitor.BULK].lead),
        Goal(f"reindex, in times of {Competitor.PARALLEL}", 1.5, of[Competitor.PARALLEL].lead),
        Goal("reindex, peak memory in MB", 200, spread([ours.peak_rss / 1e6]), most=True),
    )


def ranking_figures(rounds: Sequence[Round], rows: int, chart: str) -> Iterator[Figure]:
    """The rate of each competitor and of the bound, as bars; and the peak memory of each."""
    found = lines(rounds, rows)
    bounds = tuple(map(bound, rounds))
    for name, rates in (*((line.competitor, line.rates) for line in found), (_BOUND, bounds)):
        series = name.replace("`", "")
        yield Figure(series, "rows/s", rates, _role(name), chart, series=series, more=True)
    for line in found:
        runs = [_of(one, line.competitor) for one in _held(rounds, line.competitor)]
        yield Figure(f"{line.competitor}, peak", "MB", tuple(run.peak_rss / 1e6 for run in runs))


def ranking_table(rounds: Sequence[Round], rows: int) -> str:
    """A line for each competitor, with the bound after both its parts."""
    read, write, *others = map(_cells, lines(rounds, rows))
    middle = (_BOUND, number(spread(map(bound, rounds))), "", "1.00", "", "", "", "")
    return table(_HEAD, [read, write, middle, *others])


def _role(name: str) -> Role:
    if name == Competitor.REINDEX:
        return Role.OURS
    return Role.CEILING if name in {*_CEILINGS, _BOUND} else Role.OTHER


def _line(competitor: Competitor, rounds: Sequence[Round], rows: int) -> Line:
    held = _held(rounds, competitor)
    runs = [_of(one, competitor) for one in held]
    return Line(
        competitor=competitor,
        rates=tuple(run.rate for run in runs),
        lead=spread(_of(one, Competitor.REINDEX).rate / _of(one, competitor).rate for one in held),
        share=spread(_of(one, competitor).rate / bound(one) for one in held),
        peak_rss=max(run.peak_rss for run in runs),
        client=median(run.usage.client for run in runs),
        microseconds=(
            _microseconds(runs, lambda run: run.usage.client),
            _microseconds(runs, lambda run: run.usage.source),
            _microseconds(runs, lambda run: run.usage.target),
        ),
        complete=all(run.complete(rows) for run in runs),
        differences=next((run.differences for run in runs if run.differences), None),
    )


def _microseconds(runs: Sequence[Run], cpu: Callable[[Run], float | None]) -> float | None:
    spent = [(cpu(run), run.rows) for run in runs]
    known = [1e6 * seconds / rows for seconds, rows in spent if seconds is not None]
    return median(known) if known else None


def _cells(line: Line) -> tuple[str, ...]:
    differ = line.differences and not line.differences.none
    return (
        line.competitor,
        number(spread(line.rates)),
        number(line.lead),
        number(line.share),
        f"{line.peak_rss / 1e6:,.0f}",
        f"{line.client:.1f}",
        " + ".join("?" if each is None else f"{each:.1f}" for each in line.microseconds),
        "yes" if line.complete else f"NO: {line.differences}" if differ else "NO",
    )


def _held(rounds: Sequence[Round], competitor: Competitor) -> list[Round]:
    return [one for one in rounds if any(run.competitor is competitor for run in one)]


def _of(one: Round, competitor: Competitor) -> Run:
    return next(run for run in one if run.competitor is competitor)
