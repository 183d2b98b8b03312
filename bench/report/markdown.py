"""Reports in Markdown: tables of figures with their spread, the verdict on goals, and where it was measured."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from bench.report.record import Chart, Figure, Goal, Record, Spread

__all__ = ["LARGE", "figure_tables", "number", "report", "table", "verdict"]

LARGE: Final = 1_000
"""From here on, decimals say nothing."""

_SMALL: Final = 100

Cells = Sequence[str]


def report(record: Record, *parts: str) -> Record:
    """The record with its report: these parts, the verdict on its goals, and the machine."""
    every = (*parts, verdict(record.goals, record.doubts), str(record.machine))
    return replace(record, report="\n\n".join(part for part in every if part))


def figure_tables(record: Record) -> Iterator[str]:
    """The figures themselves, medians (min-max): a table for each panel of a chart, and one for the rest."""
    for chart in record.charts:
        figures = record.charted(chart)
        for panel in dict.fromkeys(one.panel for one in figures):
            yield _panel(chart, panel, [one for one in figures if one.panel == panel])
    if rest := [one for one in record.figures if not one.chart]:
        yield table(("figure", "median (min-max)"), [(one.name, f"{number(one.spread)} {one.unit}") for one in rest])


def table(head: Cells, rows: Sequence[Cells]) -> str:
    """A table in Markdown: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(map(_line, ([_padded(head, widths), rule, *(_padded(row, widths) for row in rows)])))


def number(one: Spread) -> str:
    """A spread for people, with as many decimals as mean something."""
    decimals = 0 if one.median >= LARGE else 1 if one.median >= _SMALL else 2
    return f"{one.median:,.{decimals}f} ({one.low:,.{decimals}f}-{one.high:,.{decimals}f})"


def verdict(goals: Iterable[Goal], doubts: Sequence[str]) -> str:
    """Each goal and whether it was reached, or why none is judged."""
    if doubts:
        return "No goal is judged, for these reasons:\n" + "\n".join(f"- {doubt}" for doubt in doubts)
    return "\n".join(map(_goal, goals))


def _panel(chart: Chart, panel: str, figures: Sequence[Figure]) -> str:
    title = f"{chart.title}{f': {panel}' if panel else ''}, {figures[0].unit}"
    cells = {(one.series, one.x): number(one.spread) for one in figures}
    places, names = sorted({one.x or 0.0 for one in figures}), list(dict.fromkeys(one.series for one in figures))
    head = [f"{place:,.0f}{'%' if chart.percent else ''}" for place in places]
    rows = [(name, *(cells.get((name, place), "failed") for place in places)) for name in names]
    return f"{title}\n\n{table((chart.x, *head), rows)}"


def _goal(goal: Goal) -> str:
    sign = "at most" if goal.most else "at least"
    outcome = "reached" if goal.reached else "MISSED"
    return f"- {goal.what}: {number(goal.got)}, wanted {sign} {goal.wanted:,.12g}: {outcome}"


def _padded(cells: Cells, widths: Sequence[int]) -> list[str]:
    first, *others = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def _line(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"
