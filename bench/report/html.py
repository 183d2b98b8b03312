"""The report: one HTML file with everything in it, made of the records of any benchmarks; and its charts as files."""

import base64
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from bench.report.charts import draw
from bench.report.record import Record

__all__ = ["save_charts", "to_html"]

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: left }
td { white-space: nowrap }
img { max-width: 100%; margin: 1rem 0 }
h2 { margin-top: 3rem; border-bottom: 2px solid #ddd }
"""


def to_html(records: Mapping[str, Record]) -> str:
    """The report of these records, by the name that tells each from the others; it loads nothing and runs no script."""
    body = "\n".join(part for name, one in records.items() for part in _sections(name, one))
    contents = " · ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in records)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Benchmarks</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Benchmarks</h1>\n<p>{contents}</p>\n{body}\n</body>\n</html>\n"
    )


def save_charts(records: Mapping[str, Record], folder: Path) -> list[Path]:
    """Draw every chart into a file; where they are.

    A file is called `bench-CHART.svg`; where two records have a chart of one name, the second `bench-CHART-RECORD.svg`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    for name, record in records.items():
        for chart in record.charts:
            file = folder / f"bench-{chart.name}.svg"
            made.append(folder / f"bench-{chart.name}-{name}.svg" if file in made else file)
            made[-1].write_text(draw(chart, record.charted(chart)), encoding="utf-8")
    return made


def _sections(name: str, record: Record) -> Iterator[str]:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    heading = name if name == record.bench else f"{name} ({record.bench})"
    yield f'<h2 id="{escape(name)}">{escape(heading)}</h2>'
    for chart in record.charts:
        # As a picture of its own: the ids inside an SVG that is part of the page would be those of the next one too.
        drawn = base64.b64encode(draw(chart, record.charted(chart)).encode()).decode()
        yield f'<p><img alt="{escape(chart.title)}" src="data:image/svg+xml;base64,{drawn}"></p>'
    yield markdown.render(record.report)
    told = ", ".join(f"{option} = {value}" for option, value in record.settings.items())
    yield f"<p>Settings: <code>{escape(told)}</code></p>"
