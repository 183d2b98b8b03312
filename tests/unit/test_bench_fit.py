import pytest

from bench.fit import fit, whole_from_curve


def test_a_line_is_found_and_followed_beyond_what_was_measured() -> None:
    line = fit([(rows, 20 + 5e-4 * rows) for rows in range(0, 10_000_001, 1_000_000)])
    assert line is not None
    forecast = line.whole(200_000_000, 10_000)
    assert forecast.seconds == pytest.approx(20_000 * (20 + 5e-4 * 100_000_000) / 1000)
    assert forecast.error == pytest.approx(0, abs=1e-6)


def test_noise_about_a_level_is_flat_and_never_below_nothing() -> None:
    line = fit([(rows, 18 + (3 if rows % 2 else -3)) for rows in range(11)])
    assert line is not None
    assert line.flat
    assert line.whole(200_000_000, 10_000).seconds == pytest.approx(20_000 * 18 / 1000, rel=0.05)
    falling = fit([(0, 30), (1, 20), (2, 11)])
    assert falling is not None
    assert falling.whole(1_000_000, 10_000).seconds > 0


def test_the_error_grows_with_the_scatter_and_with_the_distance() -> None:
    rough = fit([(rows, 20 + rows + (8 if rows % 2 else -8)) for rows in range(101)])
    fine = fit([(rows, 20 + rows + (1 if rows % 2 else -1)) for rows in range(101)])
    assert rough is not None
    assert fine is not None
    assert rough.whole(200, 1).error > 5 * fine.whole(200, 1).error
    assert fine.whole(20_000, 1).error / 20_000 > 10 * fine.whole(200, 1).error / 200


@pytest.mark.parametrize("points", [[], [(1, 1), (2, 2)], [(1, 1), (1, 2), (1, 3)]])
def test_too_little_to_fit_is_no_line(points: list[tuple[float, float]]) -> None:
    assert fit(points) is None


def test_a_whole_table_is_the_area_under_its_curve() -> None:
    assert whole_from_curve([(0, 0), (0.5, 50), (1, 100)], pages=100) == pytest.approx(5.0)
    assert whole_from_curve([(0, 10), (0.9, 10), (1, 10)], pages=100) == pytest.approx(1.0)
    assert whole_from_curve([(0.5, 20)], pages=100) == pytest.approx(2.0)
