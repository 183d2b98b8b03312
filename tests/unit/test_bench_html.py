import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.charts import draw
from bench.html import pictures, to_html
from tests.support.bench_records import BARS, CURVE, MEMORY, a_record
from tests.support.browser import Shown, show

RECORDS = {
    "paging": replace(a_record(), charts=(CURVE,)),
    "memory": replace(a_record(bench="memory"), charts=(MEMORY, BARS)),
    "memory-again": replace(a_record(bench="memory"), charts=(MEMORY, BARS)),
}

VOID = {"meta", "br", "hr", "img", "link"}

PROBE = """<script>
const words = [...document.querySelectorAll("svg")].map((svg) => {
  const box = svg.getBoundingClientRect();
  const beyond = [...svg.querySelectorAll("text, circle, rect")].filter((one) => {
    const it = one.getBoundingClientRect();
    return it.width && (it.left < box.left - 1 || it.right > box.right + 1 || it.bottom > box.bottom + 1);
  });
  const marks = svg.querySelectorAll("circle, rect.rect, path.line").length;
  return `plot ${Math.round(box.width)}x${Math.round(box.height)} marks ${marks} outside ${beyond.length}`;
});
document.body.append(words.join("; "));
</script>"""
"""What the test adds to the page, for only a browser knows where things lie."""


class Balanced(HTMLParser):
    """Knows which elements are open, and every attribute that could ask another host for something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page() -> str:
    return to_html(RECORDS)


def test_the_report_is_well_formed_and_loads_nothing_and_runs_nothing(page: str) -> None:
    found = Balanced()
    found.feed(page)
    assert found.open == []
    assert found.links == ["#paging", "#memory", "#memory-again"]
    assert "script" not in found.tags
    assert not re.search(r"url\(\s*['\"]?http|@import", page)


def test_the_report_has_every_chart_and_table_and_escapes_what_was_measured(page: str) -> None:
    found = Balanced()
    found.feed(page)
    assert found.tags.count("svg") == 5
    assert found.tags.count("table") == 3
    assert "<b>" not in page
    assert "&lt;here&gt;" in page
    assert "rows = 1000" in page


def test_two_records_of_one_benchmark_have_each_a_place_and_plots_of_their_own(page: str, tmp_path: Path) -> None:
    found = Balanced()
    found.feed(page)
    assert len(found.ids) == 3 + 5
    assert len(set(found.ids)) == len(found.ids)
    assert "<h2>" not in page
    assert ">memory-again (memory)</h2>" in page
    made = pictures(RECORDS, tmp_path)
    assert len(set(made)) == len(made) == len(list(tmp_path.iterdir())) == 5


def test_each_chart_is_drawn_the_same_each_time() -> None:
    for chart in (CURVE, BARS, MEMORY):
        assert draw(chart) == draw(chart)
        assert all(one.name in draw(chart) for one in chart.series)


def test_values_are_where_a_logarithmic_axis_puts_them() -> None:
    heights = [float(y) for y in re.findall(r'<circle cx="[^"]+" cy="([^"]+)"', draw(CURVE))]
    low, middle, high, *windows = heights
    assert low - middle > 5 * (middle - high), "17 is as far from 2,768 as 2,768 is from half a million"
    assert max(windows) - min(windows) < (low - middle) / 50


def test_a_logarithmic_axis_has_a_mark_below_and_above_all_values_and_not_too_many() -> None:
    marks = re.findall(r'<text x="-5" y="[^"]+" class="">([\d,]+)</text>', draw(CURVE))
    assert marks == ["10", "20", "50", "100", "200", "500", "1,000", "2,000", "5,000", "10,000"]


def test_plots_are_files_for_a_readme(tmp_path: Path) -> None:
    made = pictures(RECORDS, tmp_path / "docs")
    assert [path.name for path in made] == [
        "bench-paging-id.svg",
        "bench-memory.svg",
        "bench-end-to-end.svg",
        "bench-memory-again-memory.svg",
        "bench-memory-again-end-to-end.svg",
    ]
    assert all(path.read_text().lstrip().startswith("<svg") for path in made)


BROKEN = """<!DOCTYPE html><title>Broken</title>
<svg width="700" height="200"><text x="2000" y="20">beyond</text></svg>
<svg width="300" height="200"><circle cx="9" cy="9" r="3"/></svg>
<img src="http://example.invalid/picture.png">
<script>woe()</script>
"""
"""What a report must not be: without it, nobody would know that the browser sees such things."""


def drawn(shown: Shown) -> list[tuple[int, ...]]:
    """Width, height, marks and words or marks beyond the edge of every plot."""
    return [tuple(map(int, one)) for one in re.findall(r"plot (\d+)x(\d+) marks (\d+) outside (\d+)", shown.dom)]


def faults(shown: Shown) -> Iterator[str]:
    """What a browser sees that is wrong."""
    for number, (width, height, marks, outside) in enumerate(drawn(shown), 1):
        if width <= 600 or height <= 100:
            yield f"plot {number} is too small"
        if not marks:
            yield f"plot {number} is empty"
        if outside:
            yield f"plot {number} goes beyond its edge"
    yield from shown.console
    yield from (f"asked for {one}" for one in shown.asked)
    if shown.picture.stat().st_size < 60_000:
        yield "hardly anything is to be seen"


def test_a_browser_draws_every_plot_has_nothing_to_complain_of_and_asks_for_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(to_html(RECORDS) + PROBE, encoding="utf-8")
    shown = show(file, tmp_path)
    assert len(drawn(shown)) == 5
    assert list(faults(shown)) == []


def test_a_browser_sees_what_is_wrong_with_a_broken_page(tmp_path: Path) -> None:
    file = tmp_path / "broken.html"
    file.write_text(BROKEN + PROBE, encoding="utf-8")
    found = list(faults(show(file, tmp_path)))
    assert found[:3] == ["plot 1 is empty", "plot 1 goes beyond its edge", "plot 2 is too small"]
    assert any("woe is not defined" in one for one in found)
    assert found[-2:] == ["asked for http://example.invalid/picture.png", "hardly anything is to be seen"]
