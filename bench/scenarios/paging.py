"""Paging: what a page costs by its depth, with the windows of `reindex` all the way and with every strategy in SQL."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Final

from bench.competitors.ceilings import walk_pages
from bench.meter.machine import Machine, describe_machine
from bench.meter.meter import Meter, wait_until_idle
from bench.meter.usage import Usage
from bench.report.markdown import number, report, table
from bench.report.record import Chart, Figure, Goal, Record, Role, spread
from bench.scenarios.page_curves import CHART, WAYS, PageTime, curve_figures, fit_pages, time_pages
from bench.scenarios.page_sql import NarrowTable, PageKey, PageStrategy
from bench.scenarios.tables import make_narrow
from indexer.access import SourceAccess
from indexer.job.slices import slice_table
from indexer.model.paging.slice import Slice
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.settings import Strategy
from indexer.source.open import open_source
from indexer.source.protocol import Reader

__all__ = ["PAGE", "PagingPlan", "Walk", "paging_record", "run_paging", "tenths"]

PAGE: Final = 10_000
_TENTHS: Final = 10
_FAR: Final = 200_000_000

_FLAT: Final = 1.2
"""A page of the last tenth may cost this many times one of the first."""

_WARM_UP: Final = 5
"""Before anything counts, every fifth slice is walked: Java compiles what runs often, and runs it slowly till then."""

_NOTES: Final = (
    "Milliseconds of a page by how much of the table lies before it, for SQL as a person writes it: the strategies take"
    " turns, in another order in each round; one round before them warms up and does not count. A figure is the median"
    " of the pages of a fifth of the table (min-max). A window aims at somewhat less than a page, a prefix window holds"
    " what its prefix holds. The forecast is a line by least squares through the pages of all tables, over the rows"
    " that are passed (keyset: that are left), with one standard error of the fit; a slope within two of its standard"
    " errors of zero counts as flat. How evenly a larger table behaves no fit can know."
)


@dataclass(frozen=True, slots=True)
class PagingPlan:
    """How much is measured: rows of each table, rows a page at most, and how often each page and walk is timed."""

    rows: tuple[int, ...]
    page: int
    repeat: int


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk of a whole table, with windows and one reader.

    Attributes:
        rows: how many rows it met.
        pages: how many pages.
        tenths: milliseconds of the median page in each tenth of the table.
        usage: what it took.
    """

    rows: int
    pages: int
    tenths: tuple[float, ...]
    usage: Usage


def run_paging(url: str, plan: PagingPlan, say: Callable[[str], None]) -> Record:
    """Walk the largest table with windows and one reader, then time pages of every strategy."""
    tables = [NarrowTable(make_narrow(url, rows), rows, plan.page) for rows in sorted(plan.rows)]
    say(f"Made or found {', '.join(str(one.name) for one in tables)}.")
    walks = _walks(url, tables[-1], plan.repeat, say)
    pages = tuple(time_pages(url, tables, plan.repeat, say))
    return paging_record(plan, describe_machine(url), walks, pages)


def paging_record(plan: PagingPlan, machine: Machine, walks: Sequence[Walk], pages: Sequence[PageTime]) -> Record:
    """The record, with its goals judged and its report written."""
    rows = max(plan.rows)
    rates = tuple(walk.rows / walk.usage.seconds for walk in walks)
    by_tenth = [tuple(times) for times in zip(*(walk.tenths for walk in walks), strict=True)]
    flat = spread(walk.tenths[-1] / walk.tenths[0] for walk in walks)
    doubts = (
        f"walk {place}: {doubt}"
        for place, walk in enumerate(walks, 1)
        for doubt in (*walk.usage.noise, *([] if walk.rows == rows else ["it is not complete"]))
    )
    record = Record(
        bench="paging",
        settings=asdict(plan),
        machine=machine,
        figures=(
            Figure("windows, one reader", "rows/s", rates, more=True, role=Role.OURS),
            *(Figure(f"windows, tenth {place}", "ms", times) for place, times in enumerate(by_tenth, 1)),
            *curve_figures(pages),
        ),
        measured={"walks": tuple(walks), "pages": tuple(pages)},
        goals=(Goal("median page of the last tenth, in times of the first", _FLAT, flat, most=True),),
        doubts=tuple(doubts),
        charts=(_chart(rows, plan.page),),
    )
    return report(record, *_parts(record, plan, walks, pages))


def _chart(rows: int, page: int) -> Chart:
    title = f"A page of {page:,} rows by its depth in a table of {rows:,} rows"
    return Chart(CHART, title, "rows before the page, by fifths of the table", "ms a page", log_y=True, percent=True)


def _parts(record: Record, plan: PagingPlan, walks: Sequence[Walk], pages: Sequence[PageTime]) -> Iterator[str]:
    rows_a_page = median(walk.rows / walk.pages for walk in walks)
    yield (
        f"A table of {max(plan.rows):,} narrow rows (110 bytes), walked to its end as reindex reads: one reader,"
        f" windows of at most {plan.page:,} rows, {rows_a_page:,.0f} a page."
    )
    by_tenth = enumerate(zip(*(walk.tenths for walk in walks), strict=True), 1)
    head = ("tenth of the table", f"ms of the median page, {len(walks)} walks (min-max)")
    yield table(head, [(f"{place}", number(spread(times))) for place, times in by_tenth])
    yield _NOTES
    middles = sorted({one.x for one in record.figures if one.x is not None})
    by_depth = ("key", "strategy", *(f"{middle:.0f}%" for middle in middles), f"fit: seconds of {_FAR:,} rows")
    yield table(by_depth, [_cells(record, pages, key, strategy, middles) for key, strategy in WAYS])


def _cells(
    record: Record, pages: Sequence[PageTime], key: PageKey, strategy: PageStrategy, middles: Sequence[float]
) -> tuple[str, ...]:
    own = [one for one in pages if (one.key, one.strategy) == (key, strategy)]
    drawn = [one for one in record.figures if (one.chart, one.panel, one.series) == (CHART, key, strategy)]
    times = {one.x: number(one.spread) for one in drawn}
    return (key, strategy, *(times.get(middle, "failed") for middle in middles), _forecast(own))


def _forecast(pages: Sequence[PageTime]) -> str:
    line, rows_a_page = fit_pages(pages)
    if line is None or not rows_a_page:
        return "unknown"
    forecast = line.forecast(_FAR, rows_a_page)
    return f"~{forecast.seconds:,.0f} ± {forecast.error:,.0f}{''.join(_failures(pages))}"


def _failures(pages: Sequence[PageTime]) -> Iterator[str]:
    for rows in sorted({one.table for one in pages}):
        if failed := [one.depth for one in pages if one.table == rows and one.error]:
            yield f", fails at {min(failed):.0%} of {rows:,} rows"


def _walks(url: str, narrow: NarrowTable, repeat: int, say: Callable[[str], None]) -> tuple[Walk, ...]:
    with closing(open_source(SourceAccess(url=url))) as source:
        described = source.describe(narrow.name)
        selection = select(described, choose_key(described, ("id",)))
        slices = slice_table(source, selection, Strategy.WINDOW, narrow.page)
        with closing(source.reader(selection)) as reader:
            say(f"Warming up: every {_WARM_UP}th of {len(slices)} slices.")
            walk = partial(_walk, reader, selection, page=narrow.page)
            deque(walk(slices[::_WARM_UP]), maxlen=0)
            return tuple(_timed(url, lambda: walk(slices), say) for _ in range(repeat))


def _timed(url: str, walk: Callable[[], Iterable[tuple[int, float]]], say: Callable[[str], None]) -> Walk:
    wait_until_idle()
    with Meter(url) as meter:
        pages = list(walk())
    found = Walk(sum(rows for rows, _ in pages), len(pages), tenths(pages), meter.usage)
    say(f"Walked {found.rows:,} rows in {found.pages:,} pages: {found.rows / meter.usage.seconds:,.0f} rows/s.")
    return found


def _walk(reader: Reader, selection: Selection, slices: Sequence[Slice], page: int) -> Iterator[tuple[int, float]]:
    for part in slices:
        for rows, milliseconds in walk_pages(reader, selection, part, page):
            yield len(rows), milliseconds


def tenths(pages: Sequence[tuple[int, float]]) -> tuple[float, ...]:
    """Milliseconds of the median page in each tenth of the rows; a page (its rows, its time) counts where it begins."""
    total = sum(rows for rows, _ in pages)
    found: list[list[float]] = [[] for _ in range(_TENTHS)]
    before = 0
    for rows, milliseconds in pages:
        found[min(before * _TENTHS // max(1, total), _TENTHS - 1)].append(milliseconds)
        before += rows
    return tuple(median(some) if some else 0.0 for some in found)
