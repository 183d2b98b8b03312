"""Charts: what is to be drawn, as data that a record keeps, and its drawing as SVG."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, log10
from typing import Final

from pygal import Config, HorizontalBar, Line
from pygal.style import Style

__all__ = ["Chart", "Kind", "Series", "draw"]

# pygal leaves an importer behind, for plugins, that Python warns of on every import and has not called since 3.12.
sys.meta_path[:] = [one for one in sys.meta_path if type(one).__module__ != "pygal"]

_WIDTH: Final = 900
_HEIGHT: Final = 480
_BAR: Final = 34
"""Pixels of one bar and the space about it."""

_FRAME: Final = 110
"""Pixels of the title and the axis of bars."""

_COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#000000")
"""Okabe and Ito's: told apart by people who see colours differently too."""

_GUIDE: Final = {"color": "#dddddd", "dasharray": "1,0"}
"""Lines behind the figures: thin and whole."""


_LEFT_OUT: Final = re.compile(r'<script.*?</script>|<script[^>]*/>|<!--.*?-->| id="activate-serie-\d+"', re.DOTALL)
"""Scripts, and the marks that they look for: those are the same in every picture, which one page may not have twice."""


class Kind(StrEnum):
    """How it is drawn."""

    LINES = "lines"
    BARS = "bars"


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one bar.

    Attributes:
        name: in the legend.
        points: x, a label, and y of each point, at even distances; a bar has one point, its x is not drawn.
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
        log_y: whether the vertical axis is logarithmic.
    """

    name: str
    title: str
    kind: Kind
    x: str
    y: str
    series: tuple[Series, ...]
    log_y: bool = False


def draw(chart: Chart) -> str:
    """The picture as one SVG element that asks no other host for anything, and runs no script."""
    drawn = _bars(chart) if chart.kind is Kind.BARS else _lines(chart)
    drawn.uuid = chart.name  # else each drawing has ids of its own, and differs where nothing does
    svg: str = drawn.render(is_unicode=True)
    return _LEFT_OUT.sub("", svg)


def _lines(chart: Chart) -> Line:
    drawn = Line(_config(chart, _HEIGHT), dots_size=3)
    drawn.x_title, drawn.y_title = chart.x, chart.y
    places = sorted({x for one in chart.series for x, _ in one.points})
    drawn.x_labels = [_short(x) for x in places]
    if chart.log_y and (ticks := _decades([y for one in chart.series for _, y in one.points])):
        drawn.y_labels, drawn.range = ticks, (ticks[0], 1.01 * ticks[-1])
    for one in chart.series:
        known = dict(one.points)
        drawn.add(one.name, [known.get(x) for x in places])
    return drawn


def _decades(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 of every power of ten, from below all values to above them; none where a value has no logarithm."""
    if not values or min(values) <= 0:
        return []
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    all_ = [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]
    first = max(one for one in all_ if one <= min(values))
    last = min(one for one in all_ if one >= max(values))
    return [one for one in all_ if first <= one <= max(last, 2 * first)]


def _bars(chart: Chart) -> HorizontalBar:
    height = _FRAME + _BAR * len(chart.series)
    drawn = HorizontalBar(
        _config(chart, height), print_values=True, print_values_position="top", show_legend=False, spacing=10
    )
    drawn.x_title = chart.x
    upwards = chart.series[::-1]
    drawn.x_labels = [one.name for one in upwards]
    drawn.add(chart.x, [point[1] for one in upwards for point in one.points])
    return drawn


def _config(chart: Chart, height: int) -> Config:
    return Config(
        js=(),
        title=chart.title,
        width=_WIDTH,
        height=height,
        style=_style(_COLORS if chart.kind is Kind.LINES else _COLORS[5:]),
        logarithmic=chart.log_y,
        include_x_axis=not chart.log_y,
        value_formatter=_short,
        disable_xml_declaration=True,
        truncate_label=-1,
        truncate_legend=-1,
    )


def _style(colors: tuple[str, ...]) -> Style:
    white = {"background": "#ffffff", "plot_background": "#ffffff"}
    grey = {"foreground": "#333333", "foreground_strong": "#111111", "foreground_subtle": "#cccccc"}
    guides = {f"{kind}guide_stroke_{what}": value for kind in ("", "major_") for what, value in _GUIDE.items()}
    sizes = {"label_font_size": 12, "major_label_font_size": 12, "value_font_size": 12}
    return Style(
        font_family="sans-serif",
        opacity="1",
        colors=colors,
        value_colors=("#111111",),
        **white,
        **grey,
        **guides,
        **sizes,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or not value else f"{value:.3g}"  # noqa: PLR2004  # two digits suffice
