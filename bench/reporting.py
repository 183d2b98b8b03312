"""`python -m bench report` and `compare`: what is made of records."""

from pathlib import Path
from typing import Annotated, Final

import typer

from bench.comparing import compare, differences
from bench.html import pictures, to_html
from bench.load_report import comparison
from bench.record import load, load_all

__all__ = ["compare_records", "make_report"]

_HELP: Final = "What --json wrote."
Files = Annotated[list[Path], typer.Argument(metavar="FILE.json", help=f"{_HELP} No two by one name.", dir_okay=False)]
Before = Annotated[Path, typer.Argument(metavar="BEFORE.json", help=_HELP, dir_okay=False)]
After = Annotated[Path, typer.Argument(metavar="AFTER.json", help=_HELP, dir_okay=False)]


def make_report(
    files: Files,
    to: Annotated[Path, typer.Option(help="The report.", metavar="FILE", dir_okay=False)] = Path("report.html"),
    plots: Annotated[
        Path | None, typer.Option(help="Draw each chart there too, as SVG.", metavar="FOLDER", file_okay=False)
    ] = None,
) -> None:
    """Make one HTML file of the records of any benchmarks; it needs no network and no script."""
    records = load_all(files)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(to_html(records), encoding="utf-8")
    drawn = [to, *(pictures(records, plots) if plots else ())]
    typer.echo(f"Written: {', '.join(map(str, drawn))}", err=True)


def compare_records(before: Before, after: After) -> None:
    """Show what moved between two records of one benchmark, and whether it is beyond the noise."""
    one, other = load(before), load(after)
    typer.echo(comparison(compare(one, other), list(differences(one, other))))
