"""Paging: what a page costs by its depth, with windows all the way and with the slower strategies at a few depths."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

from bench.figures import Goal, Spread, spread
from bench.machine import Machine, look
from bench.narrow import NARROW, make_narrow
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

__all__ = ["PAGE", "Depth", "Paging", "measure", "tenths"]

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
class Paging:
    """What was measured.

    Attributes:
        machine: where.
        rows: of the table.
        walks: how many times it was walked with windows.
        tenths: milliseconds of the median page in each tenth of the table; the spread is over the walks.
        rows_a_page: rows of the median page.
        ratio: what a page of the last tenth costs in times of one of the first, in the same walk.
        depths: the slower strategies.
    """

    machine: Machine
    rows: int
    walks: int
    tenths: tuple[Spread, ...]
    rows_a_page: float
    ratio: Spread
    depths: tuple[Depth, ...]

    @property
    def goal(self) -> Goal:
        """What flat means."""
        return Goal("median page of the last tenth, in times of the first", _FLAT, self.ratio, most=True)


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
            list(_walk(reader, selection, slices[::_WARM_UP]))
            walked = []
            for number in range(walks):
                say(f"Walk {number + 1} of {walks}.")
                settle()
                with Meter(url) as meter:
                    walked.append(Walked(tuple(_walk(reader, selection, slices)), meter))
            depths = tuple(_depths(reader, rows, say))
    return _result(look(url), rows, walked, depths)


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


def _result(machine: Machine, rows: int, walked: Sequence[Sequence[PageTime]], depths: tuple[Depth, ...]) -> Paging:
    by_walk = [tenths(walk) for walk in walked]
    return Paging(
        machine=machine,
        rows=rows,
        walks=len(walked),
        tenths=tuple(spread(walk[tenth] for walk in by_walk) for tenth in range(_TENTHS)),
        rows_a_page=median(page.rows for walk in walked for page in walk),
        ratio=spread(walk[-1] / walk[0] for walk in by_walk),
        depths=depths,
    )
