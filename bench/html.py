"""The report: one HTML file with everything in it, made of the records of any benchmarks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from bench.charts import draw
from bench.record import Record

__all__ = ["pictures", "to_html"]

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: left }
td { white-space: nowrap }
figure { margin: 1rem 0 } figure svg { width: 100%; height: auto }
h2 { margin-top: 3rem; border-bottom: 2px solid #ddd }
"""


def to_html(records: Mapping[str, Record]) -> str:
    """The report of these records, each under the name that tells it from others; it loads nothing, runs no script."""
    body = "\n".join(part for name, one in records.items() for part in _sections(name, one))
    contents = " · ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in records)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Benchmarks</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Benchmarks</h1>\n<p>{contents}</p>\n{body}\n</body>\n</html>\n"
    )


def pictures(records: Mapping[str, Record], folder: Path) -> list[Path]:
    """Draw every chart into a file of its own; where they are.

    They are named `bench-CHART.svg`, of a record that bears another name than its benchmark `bench-NAME-CHART.svg`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, one in records.items():
        for chart in one.charts:
            made.append(folder / f"bench-{'' if name == one.bench else f'{name}-'}{chart.name}.svg")
            made[-1].write_text(draw(chart), encoding="utf-8")
    return made


def _sections(name: str, one: Record) -> Iterator[str]:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    heading = name if name == one.bench else f"{name} ({one.bench})"
    yield f'<h2 id="{escape(name)}">{escape(heading)}</h2>'
    for chart in one.charts:
        yield f"<figure>{draw(replace(chart, name=f'{name}-{chart.name}'))}</figure>"
    yield markdown.render(one.report)
    told = ", ".join(f"{option} = {value}" for option, value in one.settings.items())
    yield f"<p>Settings: <code>{escape(told)}</code></p>"
