"""`python -m bench report` and `compare`: what is made of records."""

from pathlib import Path
from typing import Annotated

import typer

from bench.comparing import compare, differences
from bench.html import pictures, to_html
from bench.load_report import comparison
from bench.record import load

__all__ = ["compare_records", "make_report"]

Record = typer.Argument(metavar="FILE.json", help="What --json wrote.", dir_okay=False)


def make_report(
    files: Annotated[list[Path], Record],
    to: Annotated[Path, typer.Option(help="The report.", metavar="FILE", dir_okay=False)] = Path("report.html"),
    plots: Annotated[
        Path | None, typer.Option(help="Draw each chart there too, as SVG.", metavar="FOLDER", file_okay=False)
    ] = None,
) -> None:
    """Make one HTML file of the records of any benchmarks; it needs no network and no script."""
    records = [load(file) for file in files]
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(to_html(records), encoding="utf-8")
    drawn = [to, *(pictures(records, plots) if plots else ())]
    typer.echo(f"Written: {', '.join(map(str, drawn))}", err=True)


def compare_records(before: Annotated[Path, Record], after: Annotated[Path, Record]) -> None:
    """Show what moved between two records of one benchmark, and whether it is beyond the noise."""
    one, other = load(before), load(after)
    typer.echo(comparison(compare(one, other), list(differences(one, other))))
