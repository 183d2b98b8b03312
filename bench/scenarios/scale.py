"""Scale: throughput over readers, writers, page and batch, and what a row costs as tables grow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from random import Random
from statistics import median
from typing import Final

from bench.competitors.runner import delete_leftovers, run_competitor
from bench.competitors.task import Competitor, Run, Task
from bench.meter.machine import Machine, describe_machine
from bench.meter.servers import Servers
from bench.report.markdown import figure_tables, report
from bench.report.record import Chart, Figure, Goal, Record, Role, spread
from bench.scenarios.tables import SCHEMA, make_logs
from indexer.errors import UsageError
from indexer.job.overlay_file import shipped_mappings
from indexer.model.table.table import TableName
from indexer.settings import Settings

__all__ = ["FEW", "Point", "ScalePlan", "Scaled", "default_point", "run_scale", "scale_record"]

FEW: Final = 1_000
"""Rows of the table whose job costs what every job does, whatever the rows."""

_FLAT: Final = 1.1
"""A row of the largest table may add this many times what one of the smallest does."""

_GENERATED: Final = 20_000
"""Rows of each table that are no copies: so few that the smallest table too is made of copies, as the largest is."""

_CHART: Final = Chart("scale", "reindex by its readers, writers, page and batch", "writers", "rows/s", log_x=True)

_GROWTH: Final = Chart("growth", "What a row adds to reindex as tables grow", "rows", "µs a row", log_x=True)

_NOTE: Final = (
    "What a row adds: with the default settings, the time of the whole command and the CPU time of each program (0"
    f" where it runs elsewhere), beyond those of a job of {FEW:,} rows."
)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One set of settings: those of `--readers`, `--writers`, `--page` and `--batch-bytes`."""

    readers: int
    writers: int
    page: int
    batch_bytes: int

    def __str__(self) -> str:
        return f"{self.readers} readers, {self.writers} writers, {self.panel}"

    @property
    def panel(self) -> str:
        """The page and the batch."""
        return f"page {self.page:,}, batch {self.batch_bytes >> 10:,} KiB"

    @property
    def options(self) -> tuple[str, ...]:
        """As `reindex` takes them."""
        given = (self.readers, self.writers, self.page, self.batch_bytes)
        names = ("--readers", "--writers", "--page", "--batch-bytes")
        return tuple(word for name, value in zip(names, given, strict=True) for word in (name, str(value)))


def default_point() -> Point:
    """The default settings of `reindex`."""
    names = ("readers", "writers", "page", "batch_bytes")
    return Point(*(int(Settings.model_fields[name].default) for name in names))


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """How much is measured.

    Attributes:
        rows: of the table that settings are tried on.
        readers: values of `--readers`, each of which is tried with each of the others.
        writers: values of `--writers`.
        pages: values of `--page`.
        batch_bytes: values of `--batch-bytes`.
        grow: rows of the growing tables.
        repeat: how many rounds; in each, the order is another.
    """

    rows: int
    readers: Sequence[int]
    writers: Sequence[int]
    pages: Sequence[int]
    batch_bytes: Sequence[int]
    grow: Sequence[int]
    repeat: int

    @property
    def points(self) -> tuple[Point, ...]:
        """All settings, and the default."""
        every = (Point(*values) for values in product(self.readers, self.writers, self.pages, self.batch_bytes))
        return tuple(dict.fromkeys((default_point(), *every)))


@dataclass(frozen=True, slots=True)
class Scaled:
    """One `reindex`: the rows of its table, its settings, and what was measured."""

    rows: int
    point: Point
    run: Run


def run_scale(servers: Servers, plan: ScalePlan, say: Callable[[str], None]) -> Record:
    """Reindex one table with all settings, then growing tables with the default ones.

    Raises:
        UsageError: where a table does not grow beyond `FEW`.
    """
    if min(plan.grow) <= FEW:
        raise UsageError(f"--grow {min(plan.grow)} is too few: name sizes above {FEW:,}, with which they are compared.")
    for rows in sorted({plan.rows, FEW, *plan.grow}):
        make_logs(servers.source, rows, say, _table(rows), _GENERATED)
    grid = tuple(_rounds(servers, [(plan.rows, point) for point in plan.points], plan.repeat, say))
    growth = tuple(_rounds(servers, [(rows, default_point()) for rows in (FEW, *plan.grow)], plan.repeat, say))
    return scale_record(plan, describe_machine(servers.source, servers.target), grid, growth)


def scale_record(plan: ScalePlan, machine: Machine, grid: Sequence[Scaled], growth: Sequence[Scaled]) -> Record:
    """The record, with its goals judged and its report written.

    Args:
        plan: how much was measured.
        machine: where.
        grid: runs of one table with all settings.
        growth: runs of growing tables with the default settings, and of one of `FEW` rows.
    """
    costs = dict(_added(growth, lambda run: run.wall))
    doubts = (
        f"{one.rows:,} rows, {one.point}: {doubt}" for one in (*grid, *growth) for doubt in one.run.doubts(one.rows)
    )
    record = Record(
        bench="scale",
        settings=asdict(plan),
        machine=machine,
        figures=(*_grid_figures(grid), *_growth_figures(growth)),
        measured={"grid": tuple(grid), "growth": tuple(growth)},
        goals=tuple(_goals(costs)),
        doubts=tuple(doubts),
        charts=(_CHART, _GROWTH),
    )
    return report(record, *figure_tables(record), _NOTE)


def _grid_figures(grid: Sequence[Scaled]) -> Iterator[Figure]:
    """Rows a second of each point, in their order: the runs took turns in another."""
    for point in sorted({one.point for one in grid}):
        rates = tuple(one.run.rate for one in grid if one.point == point)
        default = point.readers == default_point().readers
        series = f"{point.readers} reader{'s' if point.readers > 1 else ''}{' (default)' if default else ''}"
        role = Role.OURS if default else Role.OTHER
        place = (_CHART.name, point.panel, series, point.writers)
        yield Figure(str(point), "rows/s", rates, role, *place, more=True)


def _growth_figures(growth: Sequence[Scaled]) -> Iterator[Figure]:
    """What the job of `FEW` rows takes, and what a row adds to it."""
    if few := tuple(one.run.wall for one in growth if one.rows == FEW):
        yield Figure(f"a job of {FEW:,} rows", "s", few)
    parts: dict[str, Callable[[Run], float]] = {
        "wall time": lambda run: run.wall,
        "CPU of reindex": lambda run: run.usage.client,
        "CPU of CrateDB": lambda run: run.usage.source or 0.0,
        "CPU of Elasticsearch": lambda run: run.usage.target or 0.0,
    }
    for part, what in parts.items():
        role = Role.OURS if part == "wall time" else Role.OTHER
        for rows, added in _added(growth, what):
            yield Figure(f"a row of {rows:,}, {part}", "µs", added, role, _GROWTH.name, "", part, rows)


def _goals(costs: dict[int, tuple[float, ...]]) -> Iterator[Goal]:
    """What flat means: the ratio is taken within one round."""
    if len(costs) > 1:  # one size is flat by itself
        first, *_, last = costs
        ratios = (large / small for small, large in zip(costs[first], costs[last], strict=True))
        yield Goal(f"a row of {last:,}, in times of one of {first:,}", _FLAT, spread(ratios), most=True)


def _added(growth: Sequence[Scaled], what: Callable[[Run], float]) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Microseconds of this that a row adds, the smallest table first: beyond the median of a job of `FEW` rows.

    Of the whole command, for Elasticsearch keeps what it gets in memory: a small load is over before it writes it.
    """
    base = median([what(one.run) for one in growth if one.rows == FEW] or [0.0])
    for size in sorted({one.rows for one in growth} - {FEW}):
        yield size, tuple(1e6 * (what(one.run) - base) / (size - FEW) for one in growth if one.rows == size)


def _rounds(
    servers: Servers, wanted: Sequence[tuple[int, Point]], repeat: int, say: Callable[[str], None]
) -> Iterator[Scaled]:
    order, mapping = Random(repeat), str(shipped_mappings() / "logs.yaml")  # noqa: S311  # an order is no secret
    for round_ in range(1, repeat + 1):
        for rows, point in order.sample(wanted, len(wanted)):
            urls = (servers.source, servers.target)
            task = Task(Competitor.REINDEX, *urls, str(_table(rows)), mapping, "bench_scale", options=point.options)
            delete_leftovers(task)
            run = run_competitor(task)
            say(f"Round {round_}/{repeat}, {rows:,} rows, {point}: {run.rate:,.0f} rows/s.")
            yield Scaled(rows, point, run)


def _table(rows: int) -> TableName:
    return TableName(f"bench_scale_{rows}", SCHEMA)
