"""`python -m bench`: the benchmarks as commands."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench import end_to_end, paging, searching, verifying
from bench.mapping_command import time_mapping
from bench.report import (
    end_to_end_json,
    end_to_end_report,
    paging_json,
    paging_report,
    searching_json,
    searching_report,
    verifying_json,
    verifying_report,
)
from bench.servers import both_servers, source_server
from indexer.errors import IndexerError

app = typer.Typer(
    help="Measure this product beside the usual ways. Nothing else should run on the machine meanwhile.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("mapping")(time_mapping)

Source = Annotated[
    str | None, typer.Option(help="A CrateDB to use. [default: one of its own, started and stopped]", metavar="URL")
]
Target = Annotated[str | None, typer.Option(help="An Elasticsearch to use. [default: one of its own]", metavar="URL")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write every run to this file.", metavar="FILE", dir_okay=False)
]


@app.command("end-to-end")
def time_end_to_end(
    rows: Annotated[int, typer.Option(min=1, help="Rows of the table, made where it is not there.")] = 2_000_000,
    source: Source = None,
    target: Target = None,
    repeat: Annotated[int, typer.Option(min=1, help="Rounds of all ways.")] = 3,
    json: JsonFile = None,
) -> None:
    """Time reindex beside reading alone, writing alone, and the client's helpers."""
    with both_servers(source, target) as urls:
        found = end_to_end.measure(urls, rows, repeat, _say)
    _put(json, end_to_end_json(found))
    typer.echo(end_to_end_report(found))


@app.command("paging")
def time_paging(
    rows: Annotated[int, typer.Option(min=1, help="Rows of the table, made where it is not there.")] = 10_000_000,
    source: Source = None,
    repeat: Annotated[int, typer.Option(min=1, help="Walks of the whole table.")] = 3,
    json: JsonFile = None,
) -> None:
    """Time pages by their depth: windows all the way, keyset and offset at three depths."""
    with source_server(source) as url:
        found = paging.measure(url, rows, repeat, _say)
    _put(json, paging_json(found))
    typer.echo(paging_report(found))


@app.command("search")
def time_search(
    rows: Annotated[int, typer.Option(min=1, help="Documents, made where they are not there.")] = 2_000_000,
    source: Source = None,
    target: Target = None,
    repeat: Annotated[int, typer.Option(min=1, help="How often every document is written.")] = 3,
    json: JsonFile = None,
) -> None:
    """Time every match to NDJSON, and what a small search costs of its own."""
    with both_servers(source, target) as urls:
        found = searching.measure(urls, rows, repeat, _say)
    _put(json, searching_json(found))
    typer.echo(searching_report(found))


@app.command("verify")
def time_verifying(
    rows: Annotated[int, typer.Option(min=1, help="Rows of the table, made where it is not there.")] = 2_000_000,
    source: Source = None,
    target: Target = None,
    repeat: Annotated[int, typer.Option(min=1, help="Verifications of the whole index.")] = 3,
    json: JsonFile = None,
) -> None:
    """Time indexer verify --full of an index that was just made."""
    with both_servers(source, target) as urls:
        found = verifying.measure(urls, rows, repeat, _say)
    _put(json, verifying_json(found))
    typer.echo(verifying_report(found))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _put(file: Path | None, report: bytes) -> None:
    if file is not None:
        file.write_bytes(report)


def main() -> int:
    """Run a command; an error of this product is one sentence and its exit code."""
    try:
        app()
    except IndexerError as error:
        typer.echo(f"{error}", err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
