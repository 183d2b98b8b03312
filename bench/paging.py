"""Paging: what a page costs by its depth, with windows all the way and with the slower strategies at a few depths."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

from bench.figures import Goal, Spread, spread
from bench.machine import Machine, look
from bench.meter import Meter, settle
from bench.narrow import NARROW, make_narrow
from bench.run import Spent
from bench.walking import PageTime, timed_pages
from indexer.errors import IndexerError
from indexer.job.survey import survey
from indexer.model.key import choose_key
from indexer.model.selection import Selection, select
from indexer.model.slice import Slice
from indexer.model.window import Ask, Keyset, Offset, Window
from indexer.settings import SourceAccess, Strategy
from indexer.source.base import Reader
from indexer.source.open import open_source

__all__ = ["PAGE", "Depth", "Paging", "Walked", "measure", "tenths"]

PAGE: Final = 10_000

_TENTHS: Final = 10

_FLAT: Final = 1.2
"""A page of the last tenth may cost this many times one of the first."""

_DEPTHS: Final = (0.0, 0.5, 1.0)

_SAMPLES: Final = 3
"""Pages at each depth."""

_WARM_UP: Final = 5
"""Before anything counts, every fifth slice is walked: Java compiles what runs often, and runs it slowly till then."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Pages of one strategy at one depth.

    Attributes:
        strategy: which.
        depth: in parts of the table: 0 at its beginning, 1 at its end.
        milliseconds: of a page; None where the source did not answer.
        error: the error's name and words, or None.
    """

    strategy: Strategy
    depth: float
    milliseconds: Spread | None
    error: str | None = None


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
        rows: of the table.
        walks: with windows.
        depths: of the slower strategies.
    """

    machine: Machine
    rows: int
    walks: tuple[Walked, ...]
    depths: tuple[Depth, ...]

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
    def doubts(self) -> tuple[str, ...]:
        """Why the goal cannot be judged: walks that others on this machine disturbed, or that lost rows."""
        return tuple(
            f"walk {number}: {doubt}"
            for number, walk in enumerate(self.walks, 1)
            for doubt in (*walk.spent.noise, *([] if walk.rows == self.rows else ["it is not complete"]))
        )


def measure(url: str, rows: int, walks: int, say: Callable[[str], None]) -> Paging:
    """Walk the narrow table with windows and one reader, then look at the slower strategies.

    Args:
        url: CrateDB.
        rows: how many rows the table has; it is made where it is not there.
        walks: how many walks.
        say: is told what goes on.
    """
    say(f"{'Made' if make_narrow(url, rows) else 'Found'} {NARROW} with {rows:,} rows.")
    with closing(open_source(SourceAccess(url=url))) as source:
        table = source.describe(NARROW)
        selection = select(table, choose_key(table))
        slices = survey(source, selection, Strategy.WINDOW, PAGE)
        with closing(source.reader(selection)) as reader:
            say(f"Warming up: every {_WARM_UP}th of {len(slices)} slices.")
            deque(_walk(reader, selection, slices[::_WARM_UP]), maxlen=0)
            walked = tuple(_walked(url, lambda: _walk(reader, selection, slices), say) for _ in range(walks))
            depths = tuple(_depths(reader, rows, say))
    return Paging(look(url), rows, walked, depths)


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


def _walk(reader: Reader, selection: Selection, slices: Sequence[Slice]) -> Iterator[PageTime]:
    for part in slices:
        yield from timed_pages(reader, selection, part, PAGE)


def _depths(reader: Reader, rows: int, say: Callable[[str], None]) -> Iterator[Depth]:
    for strategy in (Strategy.KEYSET, Strategy.OFFSET):
        for depth in _DEPTHS:
            say(f"{strategy} at {depth:.0%}: {_SAMPLES} pages.")
            yield _depth(reader, strategy, depth, rows)


def _depth(reader: Reader, strategy: Strategy, depth: float, rows: int) -> Depth:
    first = int(depth * max(0, rows - _SAMPLES * PAGE))
    try:
        times = [_time(reader, _window(strategy, first + number * PAGE)) for number in range(_SAMPLES)]
    except IndexerError as error:
        return Depth(strategy, depth, None, f"{type(error).__name__}: {error}")
    return Depth(strategy, depth, spread(times))


def _window(strategy: Strategy, passed: int) -> Window:
    """The window of the page that follows so many rows; ids count from 1, so the last of them has this id."""
    if strategy is Strategy.OFFSET:
        return Offset(passed)
    return Keyset((passed,) if passed else None)


def _time(reader: Reader, window: Window) -> float:
    began = perf_counter()
    reader.page(Ask(window, PAGE))
    return (perf_counter() - began) * 1000
