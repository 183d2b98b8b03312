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
    "The strategies take turns, in another order in each round; one round before them warms up and does not count."
    " Medians (min-max). A window aims at somewhat less than a page, a prefix window holds what its prefix holds: the"
    f" whole table's time reckons with the rows that came. What is marked ~ was reckoned from the {len(DEPTHS)} depths,"
    " the rest was walked to its end. The forecast is a line by least squares through the pages of all tables, over the"
    " rows that are passed (keyset: that are left), with one standard error of the fit; a slope within two of"
    " its standard errors of zero counts as flat. How evenly a larger table behaves no fit can know."
)


def paging_report(found: Paging, plan: Plan) -> str:
    """What a page costs by its depth."""
    tenths = [(f"{number}", milliseconds(tenth)) for number, tenth in enumerate(found.tenths, 1)]
    rows_a_page = median(walk.rows / walk.pages for walk in found.walks)
    ways = list(dict.fromkeys((one.key, one.strategy) for one in found.curves.wholes))
    largest = found.curves.tables[-1]
    parts = [
        f"{found.rows:,} narrow rows; windows of at most {plan.page:,}, {rows_a_page:,.0f} rows a page; one reader.",
        table(("tenth of the table", f"ms of the median page, {len(found.walks)} walks (min-max)"), tenths),
        f"A page of at most {plan.page:,} of {largest:,} rows, in ms, by its depth; {plan.repeat} pages at each depth.",
        table(("key", "strategy", *(f"{depth:.0%}" for depth in _SHOWN)), [_depths(found.curves, *w) for w in ways]),
        "Whole tables, and what the fit says of more, in seconds.",
        table(
            ("key", "strategy", *(f"{rows:,} rows" for rows in found.curves.tables), f"fit: {_FAR:,} rows"),
            [_whole(found.curves, *way) for way in ways],
        ),
        _NOTES,
        "What the server's breakers counted at most (`sys.operations`), its heap in use (`sys.nodes`, with garbage).",
        table(("page", "counted MiB", "heap MiB", "checks failed", "error"), list(map(_load, found.curves.loads))),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


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
