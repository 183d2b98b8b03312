"""Scale: throughput over readers, writers, page and batch, and what a row costs as tables grow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from statistics import median
from typing import Final

from bench.charts import Chart, Kind, Series
from bench.data import LOGS, make_logs
from bench.figures import Goal, spread
from bench.machine import Machine, look
from bench.record import Figure
from bench.rounds import run_way, sweep
from bench.run import Run, Task, Way
from bench.servers import Urls
from indexer.errors import UsageError
from indexer.job.overlay_file import shipped_mappings
from indexer.model.table.table import TableName
from indexer.settings import Settings

__all__ = ["FEW", "Grid", "Point", "Scale", "Scaled", "default_point", "measure"]

FEW: Final = 1_000
"""Rows of the table whose job costs what every job does, whatever the rows."""

_ALIAS: Final = "bench_scale"
_FLAT: Final = 1.1
"""A row of the largest table may add this many times what one of the smallest does."""

_GENERATED: Final = 20_000
"""Rows of each table that are no copies: so few that the smallest table too is made of copies, as the largest is."""


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One set of settings.

    Attributes:
        readers: of `--readers`.
        writers: of `--writers`.
        page: of `--page`, rows.
        batch_bytes: of `--batch-bytes`.
    """

    readers: int
    writers: int
    page: int
    batch_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.readers} readers, {self.writers} writers, page {self.page:,}, batch {self.batch_bytes >> 10:,} KiB"
        )

    @property
    def options(self) -> tuple[str, ...]:
        """As `reindex` takes them."""
        given = (self.readers, self.writers, self.page, self.batch_bytes)
        names = ("--readers", "--writers", "--page", "--batch-bytes")
        return tuple(word for name, value in zip(names, given, strict=True) for word in (name, str(value)))


def default_point() -> Point:
    """What `reindex` does when it is told nothing."""
    readers, writers, page, batch_bytes = (
        int(Settings.model_fields[name].default) for name in ("readers", "writers", "page", "batch_bytes")
    )
    return Point(readers, writers, page, batch_bytes)


@dataclass(frozen=True, slots=True)
class Grid:
    """The settings that are tried, each with each.

    Attributes:
        readers: values of `--readers`.
        writers: values of `--writers`.
        pages: values of `--page`.
        batch_bytes: values of `--batch-bytes`.
    """

    readers: Sequence[int]
    writers: Sequence[int]
    pages: Sequence[int]
    batch_bytes: Sequence[int]

    @property
    def points(self) -> tuple[Point, ...]:
        """All of them, and the default."""
        all_ = (Point(*values) for values in product(self.readers, self.writers, self.pages, self.batch_bytes))
        return tuple(dict.fromkeys((default_point(), *all_)))


@dataclass(frozen=True, slots=True)
class Scaled:
    """One `reindex`.

    Attributes:
        rows: of the table.
        point: its settings.
        run: what was measured.
    """

    rows: int
    point: Point
    run: Run


@dataclass(frozen=True, slots=True)
class Scale:
    """What was measured.

    Attributes:
        machine: where.
        grid: runs of one table with all settings.
        growth: runs of growing tables with the default settings, and of one of `FEW` rows.
    """

    machine: Machine
    grid: tuple[Scaled, ...]
    growth: tuple[Scaled, ...]

    @property
    def rates(self) -> dict[Point, tuple[float, ...]]:
        """Rows a second of each point, in their order: the runs took turns in another."""
        points = sorted({one.point for one in self.grid})
        return {point: tuple(one.run.rate for one in self.grid if one.point == point) for point in points}

    @property
    def few(self) -> tuple[float, ...]:
        """Seconds of each job of `FEW` rows."""
        return tuple(one.run.wall for one in self.growth if one.rows == FEW)

    @property
    def costs(self) -> dict[int, tuple[float, ...]]:
        """Microseconds that a row adds to the whole command, the smallest table first."""
        return self.added(lambda run: run.wall)

    def added(self, what: Callable[[Run], float]) -> dict[int, tuple[float, ...]]:
        """Microseconds of this that a row adds, by the size of the table: beyond the median of a job of `FEW` rows.

        Of the whole command, for Elasticsearch keeps what it gets in memory: a small load is over before it writes it.
        """
        of_any = median(what(one.run) for one in self.growth if one.rows == FEW) if self.few else 0.0
        sizes = sorted({one.rows for one in self.growth} - {FEW})
        return {
            size: tuple(1e6 * (what(one.run) - of_any) / (size - FEW) for one in self.growth if one.rows == size)
            for size in sizes
        }

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Both."""
        rates = (Figure(str(point), "rows/s", rates, more=True) for point, rates in self.rates.items())
        few = (Figure(f"a job of {FEW:,} rows", "s", self.few),) if self.few else ()
        costs = (Figure(f"a row of {size:,}", "µs", costs) for size, costs in self.costs.items())
        return (*rates, *few, *costs)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Bars of the settings, and a line of the cost."""
        bars = tuple(Series(self.label(point), ((0, spread(rates).median),)) for point, rates in self.rates.items())
        line = Series("reindex", tuple((size, spread(costs).median) for size, costs in self.costs.items()))
        return (
            Chart("scale", "Rows a second by settings", Kind.BARS, "rows/s", "", bars),
            Chart("growth", "What a row adds as tables grow", Kind.LINES, "rows", "µs a row", (line,)),
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What flat means: the ratio is taken within one pass."""
        if len(self.costs) < 2:  # noqa: PLR2004  # one size is flat by itself
            return ()
        first, *_, last = self.costs
        ratios = (big / small for small, big in zip(self.costs[first], self.costs[last], strict=True))
        return (Goal(f"a row of {last:,}, in times of one of {first:,}", _FLAT, spread(ratios), most=True),)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Runs that others disturbed, or that lost rows."""
        return tuple(
            f"{one.rows:,} rows, {one.point}: {doubt}"
            for one in (*self.grid, *self.growth)
            for doubt in one.run.doubts(one.rows)
        )

    def label(self, point: Point) -> str:
        """A point's name; the default is marked."""
        return f"{point}{' (default)' if point == default_point() else ''}"


def measure(urls: Urls, rows: int, grid: Grid, sizes: Sequence[int], repeat: int, say: Callable[[str], None]) -> Scale:
    """Reindex one table with all settings, then growing tables with the default ones.

    Args:
        urls: the servers.
        rows: of the table that the settings are tried on.
        grid: the settings.
        sizes: rows of the growing tables; each is made where it is not there.
        repeat: how many passes; in each, the order is another.
        say: is told what goes on.

    Raises:
        UsageError: where a size is not above `FEW`.
    """
    if min(sizes) <= FEW:
        raise UsageError(
            f"--grow {min(sizes)} is too few: name sizes above {FEW:,}, which is what they are held against."
        )
    grid_, growth = [(rows, point) for point in grid.points], [(size, default_point()) for size in (FEW, *sizes)]
    for size in sorted({rows, FEW, *sizes}):
        make_logs(urls.source, size, say, _table(size), _GENERATED)
    return Scale(
        machine=look(urls.source, urls.target),
        grid=tuple(_rounds(urls, grid_, repeat, say)),
        growth=tuple(_rounds(urls, growth, repeat, say)),
    )


def _table(rows: int) -> TableName:
    return TableName(f"bench_scale_{rows}", LOGS.schema)


def _rounds(
    urls: Urls, wanted: Sequence[tuple[int, Point]], repeat: int, say: Callable[[str], None]
) -> Iterator[Scaled]:
    order = Random(repeat)  # noqa: S311  # the same on each machine, and no secret
    for number in range(repeat):
        for rows, point in order.sample(wanted, len(wanted)):
            run = _run(urls, rows, point)
            say(f"Round {number + 1}/{repeat}, {rows:,} rows, {point}: {run.rate:,.0f} rows/s.")
            yield Scaled(rows, point, run)


def _run(urls: Urls, rows: int, point: Point) -> Run:
    mapping = str(shipped_mappings() / "logs.yaml")
    task = Task(Way.REINDEX, urls.source, urls.target, str(_table(rows)), mapping, _ALIAS, options=point.options)
    sweep(task)
    return run_way(task)
