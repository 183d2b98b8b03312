import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.charts import draw
from bench.html import pictures, to_html
from tests.bench_records import BARS, CURVE, MEMORY, a_record

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
VOID = {"meta", "br", "hr", "img", "link"}


class Balanced(HTMLParser):
    """Knows which elements are open, and every attribute that could ask another host for something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
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
    return to_html([a_record(), a_record(bench="memory")])


def test_the_report_is_well_formed_and_loads_nothing_and_runs_nothing(page: str) -> None:
    found = Balanced()
    found.feed(page)
    assert found.open == []
    assert found.links == ["#paging", "#memory"]
    assert "script" not in found.tags
    assert not re.search(r"url\(\s*['\"]?http|@import", page)


def test_the_report_has_every_chart_and_table_and_escapes_what_was_measured(page: str) -> None:
    found = Balanced()
    found.feed(page)
    assert found.tags.count("svg") == 6
    assert found.tags.count("table") == 2
    assert "<b>" not in page
    assert "&lt;here&gt;" in page
    assert "--rows 1000" in page


def test_each_chart_is_drawn_the_same_each_time() -> None:
    for chart in (CURVE, BARS, MEMORY):
        assert draw(chart) == draw(chart)
        assert all(one.name in draw(chart) for one in chart.series)


def test_values_are_where_a_logarithmic_axis_puts_them() -> None:
    heights = [float(y) for y in re.findall(r'<circle cx="[^"]+" cy="([^"]+)"', draw(CURVE))]
    low, middle, high, *windows = heights
    assert low - middle > 5 * (middle - high), "17 is as far from 2,768 as 2,768 is from half a million"
    assert max(windows) - min(windows) < (low - middle) / 50


def test_plots_are_files_for_a_readme(tmp_path: Path) -> None:
    made = pictures([a_record()], tmp_path / "docs")
    assert [path.name for path in made] == ["bench-paging-id.svg", "bench-end-to-end.svg", "bench-memory.svg"]
    assert all(path.read_text().lstrip().startswith("<svg") for path in made)


def test_a_browser_shows_it(page: str, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no headless browser here ({', '.join(BROWSERS)}): only a parser has read the report")
    file, shot = tmp_path / "report.html", tmp_path / "report.png"
    file.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [browser, *options, f"--screenshot={shot}", "--window-size=1200,3000", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.count("<svg") == 6
    assert shot.stat().st_size > 20_000, "an empty page is smaller"
