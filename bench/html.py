"""The report: one HTML file with everything in it, made of the records of any benchmarks."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from bench.charts import draw
from bench.record import Record

__all__ = ["pictures", "to_html"]

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: left }
figure { margin: 1rem 0 } figure svg { width: 100%; height: auto }
h2 { margin-top: 3rem; border-bottom: 2px solid #ddd }
"""


def to_html(records: Sequence[Record]) -> str:
    """The report of these records, in their order; it loads nothing and runs no script."""
    body = "\n".join(part for one in records for part in _sections(one))
    contents = " · ".join(f'<a href="#{escape(one.bench)}">{escape(one.bench)}</a>' for one in records)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Benchmarks</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Benchmarks</h1>\n<p>{contents}</p>\n{body}\n</body>\n</html>\n"
    )


def pictures(records: Sequence[Record], folder: Path) -> list[Path]:
    """Draw every chart into a file of its own, `bench-NAME.svg`; where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for chart in (chart for one in records for chart in one.charts):
        made.append(folder / f"bench-{chart.name}.svg")
        made[-1].write_text(draw(chart), encoding="utf-8")
    return made


def _sections(one: Record) -> Iterator[str]:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    yield f'<h2 id="{escape(one.bench)}">{escape(one.bench)}</h2>'
    yield from (f"<figure>{draw(chart)}</figure>" for chart in one.charts)
    yield markdown.render(one.report)
    told = ", ".join(f"--{name} {value}" for name, value in one.settings.items())
    yield f"<p>Settings: <code>{escape(told)}</code></p>"
