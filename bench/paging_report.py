"""The report of paging: pages by their depth, whole tables, what 200 million rows would take, the server's memory."""

from collections.abc import Iterator
from statistics import median
from typing import Final

from bench.curves import DEPTHS, Curves, Whole
from bench.markdown import Cells, machine_lines, milliseconds, table, verdict
from bench.page_sql import Key, Strategy
from bench.paging import Paging, Plan
from bench.watching import Load

__all__ = ["paging_report"]

_FAR: Final = 200_000_000
_SHOWN: Final = (0.0, 0.1, 0.5, 0.9, 1.0)

_NOTES: Final = (
    "The strategies take turns, in another order in each round; one round before them, without OFFSET,"
    " warms up and does not count."
    " Medians (min-max); failed: the source answered with an error."
    " A window aims at somewhat less than a page, a prefix window holds what its prefix holds: the"
    f" whole table's time reckons with the rows that came. What is marked ~ was reckoned from the {len(DEPTHS)} depths,"
    " the rest was walked to its end. The forecast is a line by least squares through the pages of all tables, over the"
    " rows that are passed (keyset: that are left), with one standard error of the fit; a slope within two of"
    " its standard errors of zero counts as flat. How evenly a larger table behaves no fit can know."
)


def paging_report(found: Paging, plan: Plan) -> str:
    """What a page costs by its depth."""
    parts = [
        *_walks(found, plan),
        *_curves(found, plan),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def _walks(found: Paging, plan: Plan) -> Iterator[str]:
    rows_a_page = median(walk.rows / walk.pages for walk in found.walks)
    yield (
        f"A table of {found.rows:,} narrow rows (110 bytes), walked to its end as reindex reads: one reader, windows of"
        f" at most {plan.page:,} rows, {rows_a_page:,.0f} a page."
    )
    tenths = [(f"{number}", milliseconds(tenth)) for number, tenth in enumerate(found.tenths, 1)]
    yield table(("tenth of the table", f"ms of the median page, {len(found.walks)} walks (min-max)"), tenths)


def _curves(found: Paging, plan: Plan) -> Iterator[str]:
    curves = found.curves
    ways = list(dict.fromkeys((one.key, one.strategy) for one in curves.wholes))
    yield (
        f"Milliseconds of a page of at most {plan.page:,} rows, by the part of the table of {curves.tables[-1]:,} rows"
        f" that lies before it, for SQL as a person writes it. {_rounds(found, plan)}."
    )
    yield table(("key", "strategy", *(f"{depth:.0%}" for depth in _SHOWN)), [_depths(curves, *way) for way in ways])
    yield f"Seconds of reading a whole table, and what a line through the pages says of {_FAR:,} rows."
    head = ("key", "strategy", *(f"{rows:,} rows" for rows in curves.tables), f"fit: {_FAR:,} rows")
    yield table(head, [_whole(curves, *way) for way in ways])
    yield _NOTES
    yield (
        "What pages took of the server: the most that its breakers counted (`sys.operations`) and its heap in use"
        " (`sys.nodes`, with garbage) while it answered, the checks of `sys.node_checks` that failed afterwards."
    )
    yield table(("page", "counted MiB", "heap MiB", "checks failed", "error"), list(map(_load, curves.loads)))


def _rounds(found: Paging, plan: Plan) -> str:
    each = ", ".join(f"{plan.rounds(rows)} for {rows:,} rows" for rows in found.curves.tables)
    return f"Pages at each depth, by the rows of the table: {each}"


def _depths(curves: Curves, key: Key, strategy: Strategy) -> Cells:
    times = dict(curves.curve((key, strategy), curves.tables[-1]))
    return (key, strategy, *(milliseconds(times[depth]) if depth in times else "failed" for depth in _SHOWN))


def _whole(curves: Curves, key: Key, strategy: Strategy) -> Cells:
    wholes = (one for one in curves.wholes if (one.key, one.strategy) == (key, strategy))
    return (key, strategy, *map(_seconds, sorted(wholes, key=lambda one: one.table)), _forecast(curves, key, strategy))


def _seconds(one: Whole) -> str:
    if one.seconds is None:
        return "failed"
    lost = "" if one.rows == one.table else f" INCOMPLETE: {one.rows:,}"
    return f"{'' if one.measured else '~'}{one.seconds:,.1f}{lost}"


def _forecast(curves: Curves, key: Key, strategy: Strategy) -> str:
    line, page = curves.fit((key, strategy)), curves.rows_a_page((key, strategy))
    if line is None or not page:
        return "unknown"
    forecast = line.whole(_FAR, page)
    errors = list(_errors(curves, key, strategy))
    return f"~{forecast.seconds:,.0f} ± {forecast.error:,.0f}{', ' if errors else ''}{', '.join(errors)}"


def _errors(curves: Curves, key: Key, strategy: Strategy) -> Iterator[str]:
    for rows in curves.tables:
        if failed := curves.error((key, strategy), rows):
            yield f"fails at {failed[0]:.0%} of {rows:,} rows"


def _load(one: Load) -> Cells:
    return (
        one.query,
        f"{one.used / 2**20:,.1f}",
        f"{one.heap / 2**20:,.0f} of {one.heap_max / 2**20:,.0f}",
        f"{one.failed_checks}",
        one.error or "",
    )
