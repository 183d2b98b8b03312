"""Charts of a record's figures, as SVG: bars or lines, medians with their spread, coloured by their role."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.report.record import Chart, Figure, Role

__all__ = ["draw"]

_WIDTH: Final = 9.0
"""Inches, of 72 units each."""

_BAR: Final = 0.4
_FRAME: Final = 1.5
"""Inches of one bar, and of the title, axis and legend around all of them."""

_PANEL: Final = 2.9
_SINGLE: Final = 4.2
"""Inches: the height of one of several panels, and of the only one."""

_BAR_COLORS: Final = {Role.OURS: "#0072b2", Role.CEILING: "#b9c0c7", Role.OTHER: "#e69f00"}
_ROLES: Final = {Role.CEILING: "ceiling", Role.OURS: "reindex", Role.OTHER: "other tools"}

_LINE_COLORS: Final = {
    Role.OURS: ("#0072b2", "#56b4e9"),
    Role.OTHER: ("#d55e00", "#e69f00", "#009e73", "#cc79a7"),
    Role.CEILING: ("#555555",),
}
"""Okabe and Ito's, which people with any colour vision can tell apart; blue is ours."""

_LARGE: Final = 10
"""From here on, labels have no decimals."""

_STYLE: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
}


def draw(chart: Chart, figures: Sequence[Figure]) -> str:
    """The chart as one SVG element; it is the same each time, loads nothing and runs no script.

    Args:
        chart: what it is called and how its axes are.
        figures: what it shows: bars where the chart has no label for `y`, lines where it has.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": chart.name}):
        canvas = _lines(chart, figures) if chart.y else _bars(chart, figures)
        canvas.suptitle(chart.title, x=0.012, ha="left", weight="bold", size=12)
        out = io.StringIO()
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    return svg[svg.index("<svg") :]


def _bars(chart: Chart, figures: Sequence[Figure]) -> Canvas:
    """The largest at the top; each has its median behind the end of its spread."""
    canvas = Canvas(figsize=(_WIDTH, _FRAME + _BAR * len(figures)), layout="constrained")
    axes = canvas.subplots()
    ordered = sorted(figures, key=lambda one: one.spread.median)
    for place, one in enumerate(ordered):
        axes.barh(place, one.spread.median, height=0.68, color=_BAR_COLORS[one.role], **_spread_of([one], "x"))
        axes.annotate(
            f"{one.spread.median:,.0f}", (one.spread.high, place), (7, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(ordered)), [one.series for one in ordered])
    for label, one in zip(axes.get_yticklabels(), ordered, strict=True):
        label.set_fontweight("bold" if one.role is Role.OURS else "normal")
    axes.tick_params(axis="y", length=0)
    axes.margins(y=0.02)
    axes.set_xlim(0, 1.15 * max(one.spread.high for one in figures))
    axes.set_xlabel(f"{chart.x} (medians; whiskers: smallest and largest)")
    axes.xaxis.set_major_formatter(FuncFormatter(_label))
    axes.grid(axis="x")
    shown = [role for role in _ROLES if any(one.role is role for one in figures)]
    handles = [Patch(color=_BAR_COLORS[role], label=_ROLES[role]) for role in shown]
    canvas.legend(handles=handles, loc="outside lower right", ncols=len(handles), frameon=False)
    return canvas


def _lines(chart: Chart, figures: Sequence[Figure]) -> Canvas:
    """A panel for each that the figures name, two beside each other, with the same vertical axis and one legend."""
    panels = list(dict.fromkeys(one.panel for one in figures))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    height = rows * _PANEL + 0.7 if len(panels) > 1 else _SINGLE
    canvas = Canvas(figsize=(_WIDTH, height), layout="constrained")
    every = canvas.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    legend: dict[str, Line2D] = {}
    styles = dict(_styles(figures))
    for axes, panel in zip(every, panels, strict=False):
        shown = [one for one in figures if one.panel == panel]
        for series in dict.fromkeys(one.series for one in shown):
            legend[series] = _line(axes, [one for one in shown if one.series == series], styles[series])
        _axes(axes, chart, figures)
        axes.set_title(panel, size=10)
    canvas.supxlabel(f"{chart.x} (medians; whiskers: smallest and largest)", size=10)
    canvas.supylabel(chart.y, size=10)
    ordered = [series for series in styles if series in legend]
    canvas.legend([legend[series] for series in ordered], ordered, loc="outside right upper", frameon=False)
    return canvas


def _styles(figures: Sequence[Figure]) -> Iterator[tuple[str, tuple[str, Role]]]:
    """The colour and the role of each series."""
    roles = {one.series: one.role for one in figures}
    for role, colors in _LINE_COLORS.items():
        for place, series in enumerate(name for name, its in roles.items() if its is role):
            yield series, (colors[place % len(colors)], role)


def _line(axes: Axes, figures: Sequence[Figure], style: tuple[str, Role]) -> Line2D:
    color, role = style
    points = sorted(figures, key=lambda one: one.x or 0.0)
    line, *_ = axes.errorbar(
        [one.x or 0.0 for one in points],
        [one.spread.median for one in points],
        color=color,
        marker="" if role is Role.CEILING else "o",
        markersize=4,
        linestyle="--" if role is Role.CEILING else "-",
        linewidth=2.4 if role is Role.OURS else 1.4,
        zorder=3 if role is Role.OURS else 2,
        **_spread_of(points, "y"),
    )
    drawn: Line2D = line
    return drawn


def _spread_of(points: Sequence[Figure], axis: str) -> dict[str, Any]:
    """The whiskers, as keyword arguments; none where every point is one sample."""
    if all(one.spread.low == one.spread.high for one in points):
        return {}
    low = [one.spread.median - one.spread.low for one in points]
    high = [one.spread.high - one.spread.median for one in points]
    style = {"elinewidth": 1, "capsize": 2.5, "capthick": 1}
    if axis == "y":
        return {"yerr": [low, high], **style}
    return {"xerr": [low, high], "error_kw": {**style, "ecolor": "#222222"}}


def _axes(axes: Axes, chart: Chart, figures: Sequence[Figure]) -> None:
    if chart.log_x:
        axes.set_xscale("log")
    if chart.log_y:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.1 * max(one.spread.high for one in figures))
    places = sorted({one.x or 0.0 for one in figures})
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    mark = "%" if chart.percent else ""
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{_label(value)}{mark}"))
    axes.yaxis.set_major_formatter(FuncFormatter(_label))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelbottom=True)
    axes.grid(axis="y")


def _label(value: float, _: object = None) -> str:
    return f"{value:,.0f}" if abs(value) >= _LARGE or value == int(value) else f"{value:.2g}"
