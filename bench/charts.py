"""Charts: what is to be drawn, as data that a record keeps, and its drawing as SVG."""

from dataclasses import dataclass
from enum import StrEnum
from math import log10
from typing import Final

from pygal import XY, Config, HorizontalBar
from pygal.style import CleanStyle

__all__ = ["Chart", "Kind", "Series", "draw"]

_WIDTH: Final = 900
_HEIGHT: Final = 480
_BAR: Final = 34
"""Pixels of one bar and the space about it."""


class Kind(StrEnum):
    """How it is drawn."""

    LINES = "lines"
    BARS = "bars"


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one bar.

    Attributes:
        name: in the legend.
        points: x and y of each point; a bar has one, its x is not drawn.
    """

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture.

    Attributes:
        name: of its file.
        title: above it.
        kind: lines or bars.
        x: what the horizontal axis shows; of bars, the only one.
        y: what the vertical axis shows.
        series: what is drawn.
        log_y: whether the vertical axis, or that of the bars, is logarithmic.
        log_x: whether points lie side by side by the logarithm of x.
    """

    name: str
    title: str
    kind: Kind
    x: str
    y: str
    series: tuple[Series, ...]
    log_y: bool = False
    log_x: bool = False


def draw(chart: Chart) -> str:
    """The picture as one SVG element that asks no other host for anything, and runs no script."""
    drawn = _bars(chart) if chart.kind is Kind.BARS else _lines(chart)
    svg: str = drawn.render(is_unicode=True)
    return svg


def _lines(chart: Chart) -> XY:
    place = log10 if chart.log_x else float
    drawn = XY(_config(chart, _HEIGHT), dots_size=2.5, x_value_formatter=_short)
    drawn.x_title, drawn.y_title = chart.x, chart.y
    if chart.log_x:
        shown = sorted({x for one in chart.series for x, _ in one.points})
        drawn.x_labels = [{"value": log10(x), "label": _short(x)} for x in shown]
    for one in chart.series:
        drawn.add(one.name, [(place(x), y) for x, y in one.points])
    return drawn


def _bars(chart: Chart) -> HorizontalBar:
    drawn = HorizontalBar(_config(chart, 120 + _BAR * len(chart.series)), print_values=True)
    drawn.x_title = chart.x
    for one in chart.series:
        drawn.add(one.name, [point[1] for point in one.points])
    return drawn


def _config(chart: Chart, height: int) -> Config:
    return Config(
        js=(),
        title=chart.title,
        width=_WIDTH,
        height=height,
        style=CleanStyle(font_family="sans-serif", background="#ffffff", plot_background="#ffffff"),
        logarithmic=chart.log_y,
        value_formatter=_short,
        disable_xml_declaration=True,
        legend_at_bottom=chart.kind is Kind.LINES,
        legend_at_bottom_columns=3,
        truncate_legend=-1,
        explicit_size=False,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or not value else f"{value:.3g}"  # noqa: PLR2004  # two digits suffice
