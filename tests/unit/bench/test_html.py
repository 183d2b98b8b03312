import base64
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.report.charts import draw
from bench.report.html import save_charts, to_html
from tests.support.bench_records import BARS, LINES, a_record
from tests.support.browser import RenderedPage, render

RECORDS = {name: a_record(bench="paging") for name in ("paging", "again")}
DRAWN = [draw(chart, a_record().charted(chart)) for chart in (BARS, LINES)]

VOID = {"meta", "br", "hr", "img", "link"}

PROBE = """<script>
const words = [...document.querySelectorAll("svg")].map((svg) => {
  const box = svg.getBoundingClientRect();
  const beyond = [...svg.querySelectorAll("text, path, use")].filter((one) => {
    const it = one.getBoundingClientRect();
    const outside = it.left < box.left - 1 || it.right > box.right + 1 || it.bottom > box.bottom + 1;
    return it.width && !one.closest("defs") && outside;
  });
  const marks = svg.querySelectorAll("path").length;
  return `plot ${Math.round(box.width)}x${Math.round(box.height)} marks ${marks} outside ${beyond.length}`;
});
const pictures = [...document.images].map((one) => `picture ${one.naturalWidth}x${one.naturalHeight}`);
document.body.append([...words, ...pictures].join("; "));
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


def parsed(page: str) -> Balanced:
    found = Balanced()
    found.feed(page)
    return found


def test_the_report_is_well_formed_and_loads_nothing_and_runs_nothing(page: str) -> None:
    found = parsed(page)
    assert found.open == []
    assert [link for link in found.links if not link.startswith("data:image/svg+xml;base64,")] == ["#paging", "#again"]
    assert "script" not in found.tags
    assert not re.search(r"url\(\s*['\"]?http|@import", page)


def test_the_report_has_every_chart_and_table_and_escapes_what_was_measured(page: str) -> None:
    found = parsed(page)
    drawn = [base64.b64decode(link.partition(",")[2]).decode() for link in found.links if link.startswith("data:")]
    assert drawn == DRAWN * 2
    assert found.tags.count("table") == 2
    assert "<b>" not in page
    assert "&lt;here&gt;" in page
    assert "rows = 1000" in page


def test_two_records_of_one_benchmark_have_each_a_place_and_plots_of_their_own(page: str, tmp_path: Path) -> None:
    assert parsed(page).ids == ["paging", "again"]
    assert ">again (paging)</h2>" in page
    made = save_charts(RECORDS, tmp_path / "docs")
    assert [path.name for path in made] == [
        "bench-end-to-end.svg",
        "bench-paging.svg",
        "bench-end-to-end-again.svg",
        "bench-paging-again.svg",
    ]
    assert [path.read_text() for path in made] == DRAWN * 2


def test_each_chart_is_drawn_the_same_each_time_with_a_title_and_a_name_for_each_series() -> None:
    for chart, drawn in zip((BARS, LINES), DRAWN, strict=True):
        figures = a_record().charted(chart)
        assert draw(chart, figures) == drawn
        assert drawn.startswith("<svg")
        names = {chart.title.replace("<", "&lt;").replace(">", "&gt;"), *(one.series for one in figures)}
        assert all(f">{name}</text>" in drawn for name in names)
        assert not re.search(r'<script|href="(?!#)', drawn)


def places(svg: str, text: str) -> list[float]:
    """How far to the right these words stand: where they begin, or their middle, as they are anchored."""
    tags = re.findall(rf"<text ([^>]*)>{text}</text>", svg)
    return [float(re.findall(r'(?:\bx="|translate\()([\d.]+)', tag)[0]) for tag in tags]


def test_the_figure_of_a_bar_is_the_median_and_lies_behind_the_end_of_its_whiskers() -> None:
    zero, end = (places(DRAWN[0], text)[0] for text in ("0", "30,000"))
    for high, figure in ((35_447, "29,539"), (32_395, "26,996"), (14_004, "11,670")):
        (x,) = places(DRAWN[0], figure)
        assert x > zero + high * (end - zero) / 30_000


def test_ours_the_ceilings_and_the_others_have_different_colours() -> None:
    fills = re.findall(r"fill: (#\w{6})", DRAWN[0])
    assert len({"#0072b2", "#b9c0c7", "#e69f00"} & set(fills)) == 3
    assert places(DRAWN[0], "ceiling")
    assert places(DRAWN[0], "other tools")


BROKEN = """<!DOCTYPE html><title>Broken</title>
<svg width="700" height="200"><text x="2000" y="20">beyond</text></svg>
<svg width="300" height="200"><path d="M 1 1 L 9 9" stroke="black"/></svg>
<img src="http://example.invalid/picture.png">
<script>woe()</script>
"""
"""What a report must not be: without it, nobody would know that the browser sees such things."""


def faults(shown: RenderedPage) -> Iterator[str]:
    """What a browser sees that is wrong."""
    plots = re.findall(r"plot (\d+)x(\d+) marks (\d+) outside (\d+)", shown.dom)
    for number, (width, height, marks, outside) in enumerate((tuple(map(int, one)) for one in plots), 1):
        if width <= 600 or height <= 100:
            yield f"plot {number} is too small"
        if not marks:
            yield f"plot {number} is empty"
        if outside:
            yield f"plot {number} goes beyond its edge"
    yield from ("a picture is not drawn" for _ in re.findall(r"picture 0x0", shown.dom))
    yield from shown.console
    yield from (f"asked for {one}" for one in shown.requests)
    if shown.picture.stat().st_size < 60_000:
        yield "hardly anything is to be seen"


def test_a_browser_draws_every_plot_has_nothing_to_complain_of_and_asks_for_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(to_html(RECORDS) + "".join(DRAWN) + PROBE, encoding="utf-8")
    shown = render(file, tmp_path)
    assert len(re.findall(r"picture \d+x\d+", shown.dom)) == 4
    assert len(re.findall(r"plot \d+x\d+", shown.dom)) == 2
    assert list(faults(shown)) == []


def test_a_browser_sees_what_is_wrong_with_a_broken_page(tmp_path: Path) -> None:
    file = tmp_path / "broken.html"
    file.write_text(BROKEN + PROBE, encoding="utf-8")
    found = list(faults(render(file, tmp_path)))
    assert found[:4] == [
        "plot 1 is empty",
        "plot 1 goes beyond its edge",
        "plot 2 is too small",
        "a picture is not drawn",
    ]
    assert any("woe is not defined" in one for one in found)
    assert found[-2:] == ["asked for http://example.invalid/picture.png", "hardly anything is to be seen"]
