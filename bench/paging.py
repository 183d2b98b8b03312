"""Paging: what a page costs by its depth, with the windows of `reindex` all the way and with every strategy in SQL."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

from bench.charts import Chart
from bench.curves import Curves, measure_curves
from bench.figures import Goal, Spread, spread
from bench.machine import Machine, look
from bench.meter import Meter, settle
from bench.narrow import make_narrow
from bench.page_sql import Table
from bench.record import Figure
from bench.run import Spent
from bench.walking import PageTime, timed_pages
from indexer.job.planner import slice_table
from indexer.model.paging.slice import Slice
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.settings import SourceAccess, Strategy
from indexer.source.open import open_source
from indexer.source.protocol import Reader

__all__ = ["PAGE", "Paging", "Plan", "Walked", "measure", "tenths"]

PAGE: Final = 10_000

_TENTHS: Final = 10

_FLAT: Final = 1.2
"""A page of the last tenth may cost this many times one of the first."""

_WARM_UP: Final = 5
"""Before anything counts, every fifth slice is walked: Java compiles what runs often, and runs it slowly till then."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One walk of the whole table, with windows and one reader.

    Attributes:
        rows: how many rows it met.
        pages: how many pages.
        tenths: milliseconds of the median page in each tenth of the table.
        spent: what it took.
    """

    rows: int
    pages: int
    tenths: tuple[float, ...]
    spent: Spent


@dataclass(frozen=True, slots=True)
class Paging:
    """What was measured.

    Attributes:
        machine: where.
        rows: of the table that was walked.
        walks: with windows, as `reindex` reads.
        curves: of every strategy, in SQL as a person would write it.
    """

    machine: Machine
    rows: int
    walks: tuple[Walked, ...]
    curves: Curves

    @property
    def tenths(self) -> tuple[Spread, ...]:
        """Milliseconds of the median page in each tenth; the spread is over the walks."""
        return tuple(map(spread, zip(*(walk.tenths for walk in self.walks), strict=True)))

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What flat means: the ratio is taken within one walk."""
        ratio = spread(walk.tenths[-1] / walk.tenths[0] for walk in self.walks)
        return (Goal("median page of the last tenth, in times of the first", _FLAT, ratio, most=True),)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The walks and the curves."""
        rates = tuple(walk.rows / walk.spent.seconds for walk in self.walks)
        tenths = zip(*(walk.tenths for walk in self.walks), strict=True)
        flat = (Figure(f"windows, tenth {number}", "ms", tenth) for number, tenth in enumerate(tenths, 1))
        return (Figure("windows, one reader", "rows/s", rates, more=True), *flat, *self.curves.figures)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The curves."""
        return self.curves.charts

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the goal cannot be judged: walks that others on this machine disturbed, or that lost rows."""
        return tuple(
            f"walk {number}: {doubt}"
            for number, walk in enumerate(self.walks, 1)
            for doubt in (*walk.spent.noise, *([] if walk.rows == self.rows else ["it is not complete"]))
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rows: of each table; they are made where they are not there.
        page: rows a page at most.
        repeat: walks of the largest table, and passes of pages at every depth.
        limit: seconds within which a strategy's whole table is to end, or it is reckoned from its curve.
        once: rows from which a table's pages are timed in one pass: with OFFSET, one of ten million takes minutes.
    """

    rows: tuple[int, ...]
    page: int
    repeat: int
    limit: float
    once: int

    def rounds(self, rows: int) -> int:
        """Of pages at every depth, for a table of so many rows."""
        return self.repeat if rows < self.once else 1


def measure(url: str, plan: Plan, say: Callable[[str], None]) -> Paging:
    """Walk the largest table with windows and one reader, then look at every strategy.

    Args:
        url: CrateDB.
        plan: how much.
        say: is told what goes on.
    """
    tables = [Table(make_narrow(url, rows), rows, plan.page) for rows in sorted(plan.rows)]
    say(f"Made or found {', '.join(str(table.name) for table in tables)}.")
    walks = _walks(url, tables[-1], plan.repeat, say)
    curves = measure_curves(url, tables, plan.rounds, plan.limit, say)
    return Paging(look(url), tables[-1].rows, walks, curves)


def _walks(url: str, narrow: Table, repeat: int, say: Callable[[str], None]) -> tuple[Walked, ...]:
    with closing(open_source(SourceAccess(url=url))) as source:
        table = source.describe(narrow.name)
        selection = select(table, choose_key(table, ("id",)))
        slices = slice_table(source, selection, Strategy.WINDOW, narrow.page)
        with closing(source.reader(selection)) as reader:
            say(f"Warming up: every {_WARM_UP}th of {len(slices)} slices.")
            walk = partial(_walk, reader, selection, page=narrow.page)
            deque(walk(slices[::_WARM_UP]), maxlen=0)
            return tuple(_walked(url, lambda: walk(slices), say) for _ in range(repeat))


def _walked(url: str, walk: Callable[[], Iterable[PageTime]], say: Callable[[str], None]) -> Walked:
    settle()
    with Meter(url) as meter:
        times = list(walk())
    found = Walked(sum(page.rows for page in times), len(times), tenths(times), meter.spent)
    say(f"Walked {found.rows:,} rows in {found.pages:,} pages: {found.rows / meter.spent.seconds:,.0f} rows/s.")
    return found


def tenths(walked: Sequence[PageTime]) -> tuple[float, ...]:
    """Milliseconds of the median page in each tenth of the rows that were walked; a page counts where it begins."""
    total = sum(page.rows for page in walked)
    found: list[list[float]] = [[] for _ in range(_TENTHS)]
    before = 0
    for page in walked:
        found[min(before * _TENTHS // max(1, total), _TENTHS - 1)].append(page.milliseconds)
        before += page.rows
    return tuple(median(some) if some else 0.0 for some in found)


def _walk(reader: Reader, selection: Selection, slices: Sequence[Slice], page: int) -> Iterator[PageTime]:
    for part in slices:
        yield from timed_pages(reader, selection, part, page)
