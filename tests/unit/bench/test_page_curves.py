import pytest

from bench.report.record import Figure
from bench.scenarios.page_curves import CHART, DEPTHS, PageTime, curve_figures, fit
from bench.scenarios.page_sql import PageKey, PageStrategy


def test_a_line_is_found_and_followed_beyond_what_was_measured() -> None:
    line = fit([(rows, 20 + 5e-4 * rows) for rows in range(0, 10_000_001, 1_000_000)])
    assert line is not None
    forecast = line.forecast(200_000_000, 10_000)
    assert forecast.seconds == pytest.approx(20_000 * (20 + 5e-4 * 100_000_000) / 1000)
    assert forecast.error == pytest.approx(0, abs=1e-6)


def test_noise_about_a_level_is_flat_and_never_below_nothing() -> None:
    line = fit([(rows, 18 + (3 if rows % 2 else -3)) for rows in range(11)])
    assert line is not None
    assert line.flat
    assert line.forecast(200_000_000, 10_000).seconds == pytest.approx(20_000 * 18 / 1000, rel=0.05)
    falling = fit([(0, 30), (1, 20), (2, 11)])
    assert falling is not None
    assert falling.forecast(1_000_000, 10_000).seconds > 0


def test_the_error_grows_with_the_scatter_and_with_the_distance() -> None:
    rough = fit([(rows, 20 + rows + (8 if rows % 2 else -8)) for rows in range(101)])
    fine = fit([(rows, 20 + rows + (1 if rows % 2 else -1)) for rows in range(101)])
    assert rough is not None
    assert fine is not None
    assert rough.forecast(200, 1).error > 5 * fine.forecast(200, 1).error
    assert fine.forecast(20_000, 1).error / 20_000 > 10 * fine.forecast(200, 1).error / 200


@pytest.mark.parametrize("points", [[], [(1, 1), (2, 2)], [(1, 1), (1, 2), (1, 3)]])
def test_too_little_to_fit_is_no_line(points: list[tuple[float, float]]) -> None:
    assert fit(points) is None


def page(table: int, depth: float, milliseconds: float | None) -> PageTime:
    way = (PageKey.SEQUENTIAL, PageStrategy.WINDOW)
    return PageTime(*way, table, depth, int(depth * table), milliseconds, 500 if milliseconds else 0)


def figures(*pages: PageTime) -> dict[str, Figure]:
    return {one.name.split(", ", 2)[2]: one for one in curve_figures(pages)}


def test_a_figure_is_the_pages_of_a_fifth_so_that_a_slow_one_moves_no_median() -> None:
    slow = 0.3
    found = figures(*(page(9_500, depth, 130.0 if depth == slow else 20.0) for depth in DEPTHS))
    assert [one.x for one in found.values()] == [10, 30, 50, 70, 90]
    assert all(len(one.samples) == 3 for one in found.values())
    assert {one.spread.median for one in found.values()} == {20.0}
    assert found["9,500 rows, about 30%"].spread.high == 130.0


def test_a_page_that_failed_is_no_sample_and_a_fifth_without_any_no_figure() -> None:
    found = figures(*(page(9_500, depth, None if depth > 0.5 else 20.0) for depth in DEPTHS))
    assert [len(one.samples) for one in found.values()] == [3, 3, 2]


def test_only_the_largest_table_is_drawn() -> None:
    found = figures(page(1_000, 0.1, 20.0), page(9_500, 0.1, 20.0))
    assert {name: one.chart for name, one in found.items()} == {
        "1,000 rows, about 10%": "",
        "9,500 rows, about 10%": CHART,
    }
