"""`python -m bench`: the benchmarks as commands."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
from pydantic import ByteSize, TypeAdapter

from bench.meter.servers import both_servers, source_server, target_server
from bench.report.compare import compare, comparison, differences
from bench.report.record import Record, load_record, load_records, save_record
from bench.scenarios.end_to_end import Plan, run_end_to_end
from bench.scenarios.ha import run_ha
from bench.scenarios.mapping import run_mapping
from bench.scenarios.memory import WIDTHS, MemoryPlan, run_memory
from bench.scenarios.paging import PAGE, PagingPlan, run_paging
from bench.scenarios.scale import ScalePlan, run_scale
from bench.scenarios.search import run_search
from bench.scenarios.suite import FULL, SCENARIOS, SMALL, chosen, run_suite
from bench.scenarios.verify import run_verify
from indexer.errors import IndexerError, UsageError

app = typer.Typer(
    help="Measure this product beside other ways to do the same. Nothing else should run on the machine meanwhile.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_OWN: Final = "one of its own, started and stopped"
_RECORD: Final = "What --json wrote."
_STOPS: Final = (signal.SIGTERM, signal.SIGHUP)
_SIZE: Final = TypeAdapter(ByteSize)

Rows = Annotated[int, typer.Option(min=1, help="Rows of the table, made where it is not there.")]
Repeat = Annotated[int, typer.Option(min=1, help="How often everything is measured.")]
Source = Annotated[str | None, typer.Option(help="A CrateDB to use.", metavar="URL", show_default=_OWN)]
Target = Annotated[str | None, typer.Option(help="An Elasticsearch to use.", metavar="URL", show_default=_OWN)]
TargetHeap = Annotated[
    str | None,
    typer.Option(help="Java heap of an Elasticsearch of its own.", metavar="SIZE", show_default="up to 1GiB"),
]
Json = Annotated[
    Path | None,
    typer.Option("--json", help="Write every run and its environment to this file.", metavar="FILE", dir_okay=False),
]


@app.command("end-to-end")
def end_to_end(
    rows: Rows = 2_000_000,
    source: Source = None,
    target: Target = None,
    repeat: Repeat = 3,
    killed: Annotated[int, typer.Option(min=1, help="Rows of the table on which competitors are killed.")] = 200_000,
    basic: Annotated[bool, typer.Option("--basic", help="Only those that goals are about, no kills.")] = False,  # noqa: FBT002  # a flag
    others: Annotated[bool, typer.Option(help="Other products too; what they need is installed.")] = True,  # noqa: FBT002  # as above
    json: Json = None,
) -> None:
    """Time reindex beside reading alone, writing alone, the client's helpers, OFFSET, Logstash, Spark and dlt."""
    made = Plan(rows, repeat, 0 if basic else killed, basic, others)
    with both_servers(source, target) as servers:
        _put(json, run_end_to_end(servers, made, _say))


@app.command()
def paging(
    rows: Annotated[
        str, typer.Option(help="Rows of each table.", metavar="N[,N]")
    ] = "1000000,2000000,5000000,10000000",
    page: Annotated[int, typer.Option(min=2, help="Rows a page at most.")] = PAGE,
    source: Source = None,
    repeat: Repeat = 3,
    json: Json = None,
) -> None:
    """Time pages by their depth: OFFSET (once), keyset, windows and prefix windows, for four kinds of key."""
    plan = PagingPlan(numbers(rows), page, repeat)
    with source_server(source) as url:
        _put(json, run_paging(url, plan, _say))


@app.command()
def memory(
    widths: Annotated[str, typer.Option(help="Bytes of a row.", metavar="N[,N]")] = ",".join(map(str, WIDTHS)),
    total: Annotated[str, typer.Option(help="Bytes of each table.", metavar="SIZE")] = "128MiB",
    memory: Annotated[str, typer.Option(help="What reindex is allowed.", metavar="SIZE")] = "256MiB",
    source: Source = None,
    target: Target = None,
    repeat: Repeat = 1,
    json: Json = None,
) -> None:
    """Measure the peak memory of each competitor, by the width of a row."""
    (whole,), (allowed,) = sizes(total), sizes(memory)
    plan = MemoryPlan(numbers(widths), whole, allowed, repeat)
    with both_servers(source, target) as servers:
        _put(json, run_memory(servers, plan, _say))


@app.command()
def scale(
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
    json: Json = None,
) -> None:
    """Time reindex over readers x writers x page x batch bytes, and what a row costs as tables grow."""
    tried = (numbers(readers), numbers(writers), numbers(page), sizes(batch_bytes))
    plan = ScalePlan(rows, *tried, numbers(grow), repeat)
    with both_servers(source, target, heap=_heap(target_heap)) as servers:
        _put(json, run_scale(servers, plan, _say))


@app.command()
def search(
    rows: Rows = 2_000_000, source: Source = None, target: Target = None, repeat: Repeat = 3, json: Json = None
) -> None:
    """Time every match to NDJSON, and what a small search costs of its own."""
    with both_servers(source, target) as servers:
        _put(json, run_search(servers, rows, repeat, _say))


@app.command()
def verify(
    rows: Rows = 2_000_000, source: Source = None, target: Target = None, repeat: Repeat = 3, json: Json = None
) -> None:
    """Time indexer verify --full of an index that was just made."""
    with both_servers(source, target) as servers:
        _put(json, run_verify(servers, rows, repeat, _say))


@app.command()
def mapping(rows: Rows = 200_000, target: Target = None, repeat: Repeat = 3, json: Json = None) -> None:
    """Write the sample logs with message as text, keyword or both, with and without doc values."""
    with target_server(target) as url:
        _put(json, run_mapping(url, rows, repeat, _say))


@app.command()
def ha(
    rows: Annotated[int, typer.Option(min=1, help="Sample logs to load.")] = 400_000,
    index: Annotated[str, typer.Option(help="The alias that the job moves.", metavar="NAME")] = "logs",
) -> None:
    """Kill a CrateDB node in the middle of a reindex; exit code 0 if the job ends complete and the cluster recovers."""
    raise typer.Exit(0 if run_ha(rows, index) else 1)


@app.command("all")
def everything(
    to: Annotated[Path, typer.Option(help="Where records go; older ones are replaced.", metavar="FOLDER")] = Path(
        "build/bench"
    ),
    small: Annotated[bool, typer.Option("--small", help="Small tables, rough figures: does all work?")] = False,  # noqa: FBT002  # a flag
    only: Annotated[str, typer.Option(help=f"Of {', '.join(SCENARIOS)}.", metavar="NAME[,NAME]")] = "",
    source: Source = None,
    target: Target = None,
    target_heap: TargetHeap = None,
) -> None:
    """Run every benchmark but mapping and ha, or some, and write the report of all records in the folder."""
    names = chosen(only)
    with both_servers(source, target, heap=_heap(target_heap)) as servers:
        for record in run_suite(servers, SMALL if small else FULL, names, _say):
            _put(to / f"{record.bench}.json", record)
    report([file for name in SCENARIOS if (file := to / f"{name}.json").exists()], to / "report.html")


@app.command()
def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.json", help=f"{_RECORD} No two of one name.")],
    to: Annotated[Path, typer.Option(help="The report.", metavar="FILE", dir_okay=False)] = Path("report.html"),
    plots: Annotated[
        Path | None, typer.Option(help="Draw each chart there too, as SVG.", metavar="FOLDER", file_okay=False)
    ] = None,
) -> None:
    """Make one HTML file of the records of any benchmarks; it needs no network and no script."""
    # matplotlib would make this process larger than `reindex`, and a child counts what its parent held (`run_child`).
    from bench.report.html import save_charts, to_html  # noqa: PLC0415

    records = load_records(files)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(to_html(records), encoding="utf-8")
    drawn = [to, *(save_charts(records, plots) if plots else ())]
    _say(f"Written: {', '.join(map(str, drawn))}")


@app.command("compare")
def compare_records(
    before: Annotated[Path, typer.Argument(metavar="BEFORE.json", help=_RECORD, dir_okay=False)],
    after: Annotated[Path, typer.Argument(metavar="AFTER.json", help=_RECORD, dir_okay=False)],
) -> None:
    """Show what moved between two records of one benchmark, and whether it is beyond the noise."""
    one, other = load_record(before), load_record(after)
    typer.echo(comparison(compare(one, other), list(differences(one, other))))


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 on, separated by commas.

    Raises:
        UsageError: where one is none.
    """
    return tuple(_positive(one, int) for one in text.split(","))


def sizes(text: str) -> tuple[int, ...]:
    """Sizes such as 2MiB, separated by commas, in bytes.

    Raises:
        UsageError: where one is none.
    """
    return tuple(_positive(one, lambda size: int(_SIZE.validate_python(size))) for one in text.split(","))


def _heap(text: str | None) -> int | None:
    return None if text is None else sizes(text)[0]


def _positive(text: str, read: Callable[[str], int]) -> int:
    try:
        found = read(text.strip().replace("_", ""))
    except ValueError:
        found = 0
    if found < 1:
        raise UsageError(f"{text!r} is no number or size from 1 on: separate several by commas, as in 1000,2000.")
    return found


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _put(file: Path | None, record: Record) -> None:
    typer.echo(record.report)
    if file is not None:
        told = "Replaced" if file.exists() else "Written"
        save_record(record, file)
        _say(f"{told}: {file}")


def _stop(number: int, frame: FrameType | None) -> None:
    """End by way of every `finally`, once: servers that were started here must not outlive this process."""
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
