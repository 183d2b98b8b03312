"""`python -m bench mapping`."""

from typing import Annotated

import typer

from bench.mapping import measure, report
from bench.options import Target
from bench.servers import target_server

__all__ = ["time_mapping"]


def time_mapping(
    target: Target = None,
    rows: Annotated[int, typer.Option(min=1, help="Documents.")] = 200_000,
    repeat: Annotated[int, typer.Option(min=1, help="Rounds of all ways.")] = 3,
) -> None:
    """Write the sample logs with message as text, keyword or both, with and without doc values."""
    with target_server(target) as url:
        typer.echo(report(measure(url, rows, repeat), rows))
