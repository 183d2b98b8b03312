"""What a page costs as a straight line over the rows that it skips or that are left, and what that says of more. Pure.

Source of the error: the standard error of the mean response of a simple linear regression.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, linear_regression
from typing import Final

__all__ = ["Fit", "Forecast", "fit", "whole_from_curve"]

_CERTAIN: Final = 2
"""Standard errors by which a slope differs from none."""

_FEWEST: Final = 3
"""Points that leave one to tell the error from."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a whole table would take.

    Attributes:
        seconds: of all pages.
        error: seconds, one standard error of the fit.
    """

    seconds: float
    error: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A line through pages.

    Attributes:
        base: milliseconds of a page that skips nothing.
        slope: milliseconds more for each row that it skips, or that is left.
        residual: milliseconds, the standard deviation of pages about the line.
        points: how many pages.
        mean: of their rows skipped, or left.
        squares: the sum of squared distances from it.
    """

    base: float
    slope: float
    residual: float
    points: int
    mean: float
    squares: float

    @property
    def flat(self) -> bool:
        """Whether the slope cannot be told from none: it is within two standard errors of zero, or falls."""
        return self.slope <= _CERTAIN * self.residual / sqrt(self.squares)

    def whole(self, rows: int, page: float) -> Forecast:
        """All pages of a table of so many rows, `page` rows each: they skip half of it on average."""
        pages, away = rows / page, 0.0 if self.flat else rows / 2 - self.mean
        milliseconds = self.base + self.slope * (self.mean + away)
        error = self.residual * sqrt(1 / self.points + away**2 / self.squares)
        return Forecast(pages * milliseconds / 1000, pages * error / 1000)


def fit(points: Sequence[tuple[float, float]]) -> Fit | None:
    """The line through (rows, milliseconds) by least squares; None where there are too few points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if len(points) < _FEWEST or len(set(xs)) == 1:
        return None
    slope, base = linear_regression(xs, ys)
    rest = sum((y - base - slope * x) ** 2 for x, y in points)
    mean = fmean(xs)
    residual = sqrt(rest / (len(points) - 2))
    return Fit(base, slope, residual, len(points), mean, sum((x - mean) ** 2 for x in xs))


def whole_from_curve(curve: Sequence[tuple[float, float]], pages: float) -> float:
    """Seconds of a whole table from pages at some depths, (0 to 1, milliseconds), by the trapezoid rule."""
    if len(curve) == 1:
        return curve[0][1] * pages / 1000
    pairs = pairwise(curve)
    area = sum((right - left) * (one + other) / 2 for (left, one), (right, other) in pairs)
    return area / (curve[-1][0] - curve[0][0]) * pages / 1000
