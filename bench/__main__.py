"""`python -m bench`: the benchmarks as commands."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from bench.end_to_end import Plan as EndToEndPlan
from bench.everything import BENCHES, FULL, SMALL, chosen, run_all
from bench.mapping_command import time_mapping
from bench.memory import WIDTHS
from bench.options import JsonFile, Source, Target, TargetHeap, heap_of, numbers, sizes
from bench.paging import PAGE, Plan
from bench.record import Record, save
from bench.recording import (
    record_end_to_end,
    record_memory,
    record_paging,
    record_scale,
    record_searching,
    record_verifying,
)
from bench.reporting import compare_records, make_report
from bench.scale import Grid
from bench.servers import both_servers, source_server
from indexer.errors import IndexerError

app = typer.Typer(
    help="Measure this product beside the usual ways. Nothing else should run on the machine meanwhile.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("mapping")(time_mapping)
app.command("report")(make_report)
app.command("compare")(compare_records)

_STOPS = (signal.SIGTERM, signal.SIGHUP)

Rows = Annotated[int, typer.Option(min=1, help="Rows of the table, made where it is not there.")]
Repeat = Annotated[int, typer.Option(min=1, help="How often everything is measured.")]


@app.command("end-to-end")
def time_end_to_end(
    rows: Rows = 2_000_000,
    source: Source = None,
    target: Target = None,
    repeat: Repeat = 3,
    killed: Annotated[int, typer.Option(min=1, help="Rows of the table that the ways are killed on.")] = 200_000,
    basic: Annotated[bool, typer.Option("--basic", help="Only the ways that goals are about, no kills.")] = False,  # noqa: FBT002  # a flag is a boolean
    others: Annotated[bool, typer.Option(help="Products of others too; what they need is installed.")] = True,  # noqa: FBT002  # as above
    json: JsonFile = None,
) -> None:
    """Time reindex beside reading alone, writing alone, the client's helpers, Logstash, Spark, dlt and Singer."""
    made = EndToEndPlan(rows, repeat, 0 if basic else killed, basic, others)
    with both_servers(source, target) as urls:
        _put(json, record_end_to_end(urls, made, _say))


@app.command("paging")
def time_paging(
    rows: Annotated[
        str, typer.Option(help="Rows of each table.", metavar="N[,N]")
    ] = "1000000,2000000,5000000,10000000",
    page: Annotated[int, typer.Option(min=2, help="Rows a page at most.")] = PAGE,
    limit: Annotated[float, typer.Option(min=0, help="Seconds for a whole table; longer ones are reckoned.")] = 30,
    once: Annotated[int, typer.Option(min=1, help="Rows from which pages are timed in one round.")] = 5_000_000,
    source: Source = None,
    repeat: Repeat = 3,
    json: JsonFile = None,
) -> None:
    """Time pages by their depth: offset, keyset, windows and prefix windows, for four kinds of key."""
    plan = Plan(numbers(rows), page, repeat, limit, once)
    with source_server(source) as url:
        _put(json, record_paging(url, plan, _say))


@app.command("memory")
def measure_memory(
    widths: Annotated[str, typer.Option(help="Bytes of a row.", metavar="N[,N]")] = ",".join(map(str, WIDTHS)),
    total: Annotated[str, typer.Option(help="Bytes of each table.", metavar="SIZE")] = "128MiB",
    memory: Annotated[str, typer.Option(help="What reindex is allowed.", metavar="SIZE")] = "256MiB",
    source: Source = None,
    target: Target = None,
    repeat: Repeat = 1,
    json: JsonFile = None,
) -> None:
    """Measure the most memory that each way holds, by the width of a row."""
    wide, (whole,), (allowed,) = numbers(widths), sizes(total), sizes(memory)
    with both_servers(source, target) as urls:
        _put(json, record_memory(urls, wide, whole, allowed, repeat, _say))


@app.command("scale")
def time_scale(
    rows: Rows = 500_000,
    readers: Annotated[str, typer.Option(help="Slices read at once.", metavar="N[,N]")] = "1,2,4",
    writers: Annotated[str, typer.Option(help="Bulk requests in flight.", metavar="N[,N]")] = "1,2,4",
    page: Annotated[str, typer.Option(help="Rows a page.", metavar="N[,N]")] = "2000,10000",
    batch_bytes: Annotated[str, typer.Option(help="Bytes of a bulk request.", metavar="SIZE[,SIZE]")] = "512KiB,2MiB",
    grow: Annotated[str, typer.Option(help="Rows of growing tables.", metavar="N[,N]")] = "100000,1000000,10000000",
    source: Source = None,
    target: Target = None,
    target_heap: TargetHeap = None,
    repeat: Repeat = 3,
    json: JsonFile = None,
) -> None:
    """Time reindex over readers x writers x page x batch bytes, and what a row costs as tables grow."""
    grid = Grid(numbers(readers), numbers(writers), numbers(page), sizes(batch_bytes))
    with both_servers(source, target, heap=heap_of(target_heap)) as urls:
        _put(json, record_scale(urls, rows, grid, numbers(grow), repeat, _say))


@app.command("search")
def time_search(
    rows: Rows = 2_000_000, source: Source = None, target: Target = None, repeat: Repeat = 3, json: JsonFile = None
) -> None:
    """Time every match to NDJSON, and what a small search costs of its own."""
    with both_servers(source, target) as urls:
        _put(json, record_searching(urls, rows, repeat, _say))


@app.command("verify")
def time_verifying(
    rows: Rows = 2_000_000, source: Source = None, target: Target = None, repeat: Repeat = 3, json: JsonFile = None
) -> None:
    """Time indexer verify --full of an index that was just made."""
    with both_servers(source, target) as urls:
        _put(json, record_verifying(urls, rows, repeat, _say))


@app.command("all")
def run_everything(
    to: Annotated[Path, typer.Option(help="Where records go; older ones are replaced.", metavar="FOLDER")] = Path(
        "build/bench"
    ),
    small: Annotated[bool, typer.Option("--small", help="Small tables, rough figures: does all work?")] = False,  # noqa: FBT002  # a flag is a boolean
    only: Annotated[str, typer.Option(help=f"Of {', '.join(BENCHES)}.", metavar="NAME[,NAME]")] = "",
    source: Source = None,
    target: Target = None,
    target_heap: TargetHeap = None,
) -> None:
    """Run every benchmark, or some, and write the report of the records of all that the folder has then."""
    names = chosen(only)
    with both_servers(source, target, heap=heap_of(target_heap)) as urls:
        for one in run_all(urls, SMALL if small else FULL, names, _say):
            _put(to / f"{one.bench}.json", one)
    make_report([file for name in BENCHES if (file := to / f"{name}.json").exists()], to / "report.html")


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _put(file: Path | None, made: Record) -> None:
    typer.echo(made.report)
    if file is not None:
        told = "Replaced" if file.exists() else "Written"
        save(made, file)
        _say(f"{told}: {file}")


def _stop(number: int, frame: FrameType | None) -> None:
    """End by way of every `finally`, once: servers that were started here outlive a process that a signal ends."""
    del frame
    for other in _STOPS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> int:
    """Run a command; an error of this product is one sentence and its exit code."""
    for number in _STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _stop)
    try:
        app()
    except IndexerError as error:
        typer.echo(f"{error}", err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
