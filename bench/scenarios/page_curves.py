"""What a page costs by its depth, for each key and strategy, and what a line through the pages says of larger tables.

Source of the error: the standard error of the mean response of a simple linear regression.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from statistics import fmean, linear_regression
from time import perf_counter
from typing import Final

from crate.client.exceptions import Error

from bench.meter.servers import sql_cursor
from bench.report.record import Figure, Role
from bench.scenarios.page_sql import NarrowTable, PageKey, PageStrategy, strategies
from indexer.sandbox.cratedb_table import Cursor

__all__ = ["CHART", "DEPTHS", "WAYS", "Fit", "Forecast", "PageTime", "curve_figures", "fit", "fit_pages", "time_pages"]

CHART: Final = "paging"

DEPTHS: Final = tuple(tenth / 10 for tenth in range(11))
"""Where pages are timed, as fractions of the table."""

_PARTS: Final = 5
"""A figure is the pages of a fifth of the table, both its ends included: one slow page does not move its median."""

_REASON: Final = 160
"""Characters of an error that a report shows."""

_CERTAIN: Final = 2
"""Standard errors from which a slope counts."""

_FEWEST: Final = 3
"""Points that leave one to tell the error from."""

Way = tuple[PageKey, PageStrategy]

WAYS: Final[tuple[Way, ...]] = tuple((key, strategy) for key in PageKey for strategy in strategies(key))


@dataclass(frozen=True, slots=True)
class PageTime:
    """One page.

    Attributes:
        key: by which it was paged.
        strategy: how.
        table: rows of the table.
        depth: as a fraction of the table.
        passed: rows before it.
        milliseconds: from its request until every row was decoded; None where the source answered with an error.
        rows: of the page.
        error: what the source said instead.
    """

    key: PageKey
    strategy: PageStrategy
    table: int
    depth: float
    passed: int
    milliseconds: float | None
    rows: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a whole table would take, and one standard error of that, in seconds."""

    seconds: float
    error: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A line through pages: milliseconds over the rows that they pass, or that are left.

    Attributes:
        base: milliseconds of a page at 0 rows.
        slope: milliseconds more for each row.
        residual: milliseconds, the standard deviation of pages about the line.
        points: how many pages.
        mean: of their rows.
        squares: the sum of squared distances from it.
    """

    base: float
    slope: float
    residual: float
    points: int
    mean: float
    squares: float

    @property
    def flat(self) -> bool:
        """Whether the slope cannot be told from none: it is within two standard errors of zero, or falls."""
        return self.slope <= _CERTAIN * self.residual / sqrt(self.squares)

    def forecast(self, rows: int, page: float) -> Forecast:
        """All pages of a table of so many rows, `page` rows each: they pass half of it on average."""
        pages, away = rows / page, 0.0 if self.flat else rows / 2 - self.mean
        milliseconds = self.base + self.slope * (self.mean + away)
        error = self.residual * sqrt(1 / self.points + away**2 / self.squares)
        return Forecast(pages * milliseconds / 1000, pages * error / 1000)


def fit(points: Sequence[tuple[float, float]]) -> Fit | None:
    """The line through (rows, milliseconds) by least squares; None where there are too few points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if len(points) < _FEWEST or len(set(xs)) == 1:
        return None
    slope, base = linear_regression(xs, ys)
    rest, mean = sum((y - base - slope * x) ** 2 for x, y in points), fmean(xs)
    return Fit(base, slope, sqrt(rest / (len(points) - 2)), len(points), mean, sum((x - mean) ** 2 for x in xs))


def fit_pages(pages: Sequence[PageTime]) -> tuple[Fit | None, float]:
    """The line through pages, over the rows left for keyset, over those passed for others; and the mean rows a page."""
    timed = [
        (one.table - one.passed if one.strategy is PageStrategy.KEYSET else one.passed, one.milliseconds, one.rows)
        for one in pages
        if one.milliseconds is not None
    ]
    return fit([(at, milliseconds) for at, milliseconds, _ in timed]), fmean([rows for *_, rows in timed] or [0])


def curve_figures(pages: Sequence[PageTime]) -> Iterator[Figure]:
    """Milliseconds of each way and table by the fifth of the table; the largest table is drawn."""
    largest = max((one.table for one in pages), default=0)
    for rows in sorted({one.table for one in pages}):
        for key, strategy in WAYS:
            own = [one for one in pages if (one.table, one.key, one.strategy) == (rows, key, strategy)]
            for part in range(_PARTS):
                times = [one.milliseconds for one in own if one.milliseconds is not None and _in_part(one, part)]
                if times:
                    middle = 100 * (part + 0.5) / _PARTS
                    name = f"{key}, {strategy}, {rows:,} rows, about {middle:.0f}%"
                    ours = strategy in {PageStrategy.WINDOW, PageStrategy.PREFIX}
                    role, chart = Role.OURS if ours else Role.OTHER, CHART if rows == largest else ""
                    yield Figure(name, "ms", tuple(times), role, chart, key, strategy, middle)


def time_pages(url: str, tables: Sequence[NarrowTable], repeat: int, say: Callable[[str], None]) -> Iterator[PageTime]:
    """Time pages of every way at every depth.

    The ways take turns at each depth, in another order each time. A first round does not count; OFFSET, a page of which
    takes seconds, takes part in the second alone.

    Args:
        url: CrateDB.
        tables: the narrow tables.
        repeat: rounds that count.
        say: is told what goes on.
    """
    others = [way for way in WAYS if way[1] is not PageStrategy.OFFSET]
    with sql_cursor(url) as cursor:
        for table in tables:
            for number in range(repeat + 1):
                ways = WAYS if number == 1 else others
                found = list(_round(cursor, table, ways, Random(number)))  # noqa: S311  # an order is no secret
                warm = "" if number else ", warming up"
                say(f"{table.rows:,} rows, round {number}/{repeat}{warm}: {len(found)} pages.")
                yield from found if number else ()


def _in_part(one: PageTime, part: int) -> bool:
    return part / _PARTS <= one.depth <= (part + 1) / _PARTS


def _round(cursor: Cursor, table: NarrowTable, ways: Sequence[Way], order: Random) -> Iterator[PageTime]:
    for depth in order.sample(DEPTHS, len(DEPTHS)):
        passed = int(depth * max(0, table.rows - table.page))
        for key, strategy in order.sample(ways, len(ways)):
            yield _time(cursor, table, key, strategy, depth, passed)


def _time(
    cursor: Cursor, table: NarrowTable, key: PageKey, strategy: PageStrategy, depth: float, passed: int
) -> PageTime:
    statement, parameters = table.statement(key, strategy, passed)
    began = perf_counter()
    try:
        cursor.execute(statement, parameters)
    except Error as error:
        return PageTime(key, strategy, table.rows, depth, passed, None, 0, str(error)[:_REASON])
    rows = len(cursor.fetchall())
    return PageTime(key, strategy, table.rows, depth, passed, 1000 * (perf_counter() - began), rows)
