"""`python -m bench mapping`."""

from typing import Annotated

import typer

from bench.mapping import measure, report

__all__ = ["time_mapping"]


def time_mapping(
    target: Annotated[
        str, typer.Option(help="The Elasticsearch to write to.", metavar="URL")
    ] = "http://localhost:9200",
    rows: Annotated[int, typer.Option(min=1, help="Documents.")] = 200_000,
    repeat: Annotated[int, typer.Option(min=1, help="Rounds of all ways.")] = 3,
) -> None:
    """Write the sample logs with message as text, keyword or both, with and without doc values."""
    typer.echo(report(measure(target, rows, repeat), rows))
