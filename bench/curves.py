"""Curves: what a page costs by its depth, for each key and strategy, and what the whole table takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from time import perf_counter
from typing import Final

from crate.client.exceptions import Error

from bench.charts import Chart, Kind, Series
from bench.database import cursor
from bench.figures import Spread, spread
from bench.fit import Fit, fit, whole_from_curve
from bench.page_sql import Key, Strategy, Table, strategies
from bench.record import Figure
from bench.watching import Load, watched
from indexer.sandbox.cratedb_table import Cursor

__all__ = ["DEPTHS", "Curves", "Sample", "Whole", "measure_curves"]

DEPTHS: Final = tuple(tenth / 10 for tenth in range(11))
_WATCHED: Final = (0.0, 0.5, 1.0)
_REASON: Final = 160
"""Characters of an error that a report shows."""

KeyAndStrategy = tuple[Key, Strategy]

_WAYS: Final[tuple[KeyAndStrategy, ...]] = tuple((key, strategy) for key in Key for strategy in strategies(key))


@dataclass(frozen=True, slots=True)
class Sample:
    """One page.

    Attributes:
        key: by which it was paged.
        strategy: how.
        table: rows of the table.
        depth: in parts of the table.
        passed: rows before it.
        milliseconds: from asking to having every row decoded; None where the source answered with an error.
        rows: of the page.
        error: what the source said instead, or None.
    """

    key: Key
    strategy: Strategy
    table: int
    depth: float
    passed: int
    milliseconds: float | None
    rows: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole table.

    Attributes:
        key: by which it was paged.
        strategy: how.
        table: rows of the table.
        seconds: of all pages; None where a page gave no time to reckon with.
        measured: whether it was walked to its end, and not reckoned from the curve.
        rows: how many a walk met; those of the table where none was.
    """

    key: Key
    strategy: Strategy
    table: int
    seconds: float | None
    measured: bool
    rows: int


@dataclass(frozen=True, slots=True)
class Curves:
    """What was measured.

    Attributes:
        samples: every page.
        wholes: every table by every way.
        loads: what pages took of the server, watched apart from the timing.
    """

    samples: tuple[Sample, ...]
    wholes: tuple[Whole, ...]
    loads: tuple[Load, ...]

    @property
    def tables(self) -> tuple[int, ...]:
        """Rows of each table, the smallest first."""
        return tuple(sorted({one.table for one in self.samples}))

    def of(self, way: KeyAndStrategy, table: int | None = None) -> list[Sample]:
        """The pages of one way, of one table or of all."""
        return [one for one in self.samples if (one.key, one.strategy) == way and table in {None, one.table}]

    def curve(self, way: KeyAndStrategy, table: int) -> list[tuple[float, Spread]]:
        """Depth and milliseconds, where there are any."""
        times: dict[float, list[float]] = {}
        for one in self.of(way, table):
            if one.milliseconds is not None:
                times.setdefault(one.depth, []).append(one.milliseconds)
        return [(depth, spread(times[depth])) for depth in sorted(times)]

    def fit(self, way: KeyAndStrategy) -> Fit | None:
        """The line through the pages of all tables: over the rows left for keyset, over the rows passed for others."""
        return fit(
            [
                (one.table - one.passed if one.strategy is Strategy.KEYSET else one.passed, one.milliseconds)
                for one in self.of(way)
                if one.milliseconds is not None
            ]
        )

    def rows_a_page(self, way: KeyAndStrategy) -> float:
        """Of those that answered, the mean; 0 where none did."""
        return fmean([one.rows for one in self.of(way) if one.milliseconds is not None] or [0])

    def error(self, way: KeyAndStrategy, table: int) -> tuple[float, str] | None:
        """The least depth at which a page failed, and why."""
        failed = [(one.depth, one.error) for one in self.of(way, table) if one.error]
        return min(failed, default=None)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Milliseconds of each way, table and depth."""
        names: dict[str, list[float]] = {}
        for one in self.samples:
            if one.milliseconds is not None:
                name = f"{one.key}, {one.strategy}, {one.table:,} rows, at {one.depth:.0%}"
                names.setdefault(name, []).append(one.milliseconds)
        return tuple(Figure(name, "ms", tuple(times)) for name, times in names.items())

    @property
    def charts(self) -> tuple[Chart, ...]:
        """One for each key, of the largest table."""
        return tuple(self._chart(key, self.tables[-1]) for key in Key) if self.tables else ()

    def _chart(self, key: Key, table: int) -> Chart:
        lines = (
            Series(strategy, tuple((100 * depth, one.median) for depth, one in self.curve((key, strategy), table)))
            for strategy in strategies(key)
        )
        title = f"A page by its depth: {key}, {table:,} rows"
        name = f"paging-{key.column}"
        return Chart(name, title, Kind.LINES, "% of the table", "ms a page", tuple(lines), log_y=True)


def measure_curves(
    url: str, tables: Sequence[Table], rounds: Callable[[int], int], limit: float, say: Callable[[str], None]
) -> Curves:
    """Time pages of every way at every depth, then walk the tables that end in time.

    The ways take turns at each depth, in another order each time; a first pass, without OFFSET, does not count.

    Args:
        url: CrateDB.
        tables: the narrow tables.
        passes: that count, for a table of so many rows.
        limit: seconds within which a whole table is to end, or it is reckoned from its curve.
        say: is told what goes on.
    """
    with cursor(url) as one:
        samples = tuple(sample for table in tables for sample in _table(one, table, rounds(table.rows), say))
        timed = Curves(samples, (), ())
        wholes = tuple(_whole(one, table, way, timed, limit) for table in tables for way in _WAYS)
    say("Watching the server's memory.")
    return Curves(timed.samples, wholes, tuple(_loads(url, tables[-1])))


def _table(one: Cursor, table: Table, rounds: int, say: Callable[[str], None]) -> Iterator[Sample]:
    warm = [(key, strategy) for key, strategy in _WAYS if strategy is not Strategy.OFFSET]
    for number in range(rounds + 1):
        counts = number > 0
        found = list(_round(one, table, _WAYS if counts else warm, Random(number)))  # noqa: S311  # an order is no secret
        say(f"{table.rows:,} rows, round {number}/{rounds}{'' if counts else ', warming up'}: {len(found)} pages.")
        if counts:
            yield from found


def _round(one: Cursor, table: Table, ways: Sequence[KeyAndStrategy], order: Random) -> Iterator[Sample]:
    for depth in order.sample(DEPTHS, len(DEPTHS)):
        passed = int(depth * max(0, table.rows - table.page))
        for key, strategy in order.sample(ways, len(ways)):
            yield _sample(one, table, key, strategy, depth, passed)


def _sample(one: Cursor, table: Table, key: Key, strategy: Strategy, depth: float, passed: int) -> Sample:
    statement, parameters = table.statement(key, strategy, passed)
    began = perf_counter()
    try:
        one.execute(statement, parameters)
    except Error as error:
        return Sample(key, strategy, table.rows, depth, passed, None, 0, str(error)[:_REASON])
    rows = len(one.fetchall())
    return Sample(key, strategy, table.rows, depth, passed, 1000 * (perf_counter() - began), rows)


def _whole(one: Cursor, table: Table, way: KeyAndStrategy, timed: Curves, limit: float) -> Whole:
    curve = [(depth, time.median) for depth, time in timed.curve(way, table.rows)]
    if not curve or timed.error(way, table.rows):
        return Whole(*way, table.rows, None, measured=False, rows=table.rows)
    seconds = whole_from_curve(curve, table.rows / table.step(way[1]))
    if seconds > limit:
        return Whole(*way, table.rows, seconds, measured=False, rows=table.rows)
    began = perf_counter()
    rows = sum(_walk(one, table, *way))
    return Whole(*way, table.rows, perf_counter() - began, measured=True, rows=rows)


def _walk(one: Cursor, table: Table, key: Key, strategy: Strategy) -> Iterator[int]:
    """The rows of each page of the table, in turn."""
    if strategy is Strategy.KEYSET:
        yield from _walk_keyset(one, table, key)
        return
    number = 0
    while (passed := number * table.step(strategy)) < table.rows:
        one.execute(*table.statement(key, strategy, passed))
        yield len(one.fetchall())
        number += 1


def _walk_keyset(one: Cursor, table: Table, key: Key) -> Iterator[int]:
    statement, parameters = table.statement(key, Strategy.KEYSET, 0)
    while True:
        one.execute(statement, parameters)
        rows = one.fetchall()
        yield len(rows)
        if len(rows) < table.page:
            return
        statement, parameters = table.following(key, rows[-1])


def _loads(url: str, table: Table) -> Iterator[Load]:
    for key, strategy in _WAYS:
        for depth in _WATCHED:
            statement = table.statement(key, strategy, int(depth * max(0, table.rows - table.page)))
            yield watched(url, f"{key}, {strategy}, at {depth:.0%}", *statement)
