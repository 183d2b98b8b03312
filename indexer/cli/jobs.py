"""`indexer jobs` and `indexer rollback`: what jobs there were, what one did, and undoing what one left or switched."""

from typing import Annotated, Final

import orjson
import typer
from rich.table import Column

from indexer.cli.command import command
from indexer.cli.render.console import ago, facts_table, output_console, plain_table
from indexer.errors import UsageError
from indexer.job.jobs import find_job, remove_job, roll_back, unfinished_jobs
from indexer.model.job.state import JobState, JobStatus, write_job
from indexer.option import OptionGroup
from indexer.settings import Settings
from indexer.sink.client import connect
from indexer.sink.job_store import JobStore

__all__ = ["job_as_json", "jobs_command", "print_job", "print_jobs", "rollback_command"]

_WIDE: Final = 120
"""Columns of a terminal that has room for tables' names and full times."""

_NUMBERS: Final = frozenset({"rows", "dead letters"})


@command("jobs_index", "as_json", OptionGroup.TARGET)
def jobs_command(
    settings: Settings,
    action: Annotated[str, typer.Argument(help="list, show or clean.", metavar="[list|show|clean]")] = "list",
    job: Annotated[str | None, typer.Argument(help="The job to show.", metavar="[JOB]")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what `clean` lists.")] = False,
) -> int:
    """The newest job comes first. Running jobs are never removed.

    Examples:
      indexer jobs
      indexer jobs show logs_20261122_101500
      indexer jobs clean
      indexer jobs clean --yes

    `clean` lists unfinished jobs and `clean --yes` removes them, with the indexes that they were writing.
    """
    with connect(settings.target_access) as cluster:
        store = JobStore(cluster, settings.jobs_index)
        match action, job:
            case "list", None:
                states = store.all()
                if settings.as_json:
                    typer.echo("".join(map(job_as_json, states)), nl=False)
                else:
                    print_jobs(states)
            case "show", str():
                state = find_job(store, job)
                typer.echo(job_as_json(state), nl=False) if settings.as_json else print_job(state)
            case "clean", None:
                unfinished = unfinished_jobs(cluster, store)
                if not unfinished:
                    typer.echo("No unfinished jobs.")
                for state in unfinished:
                    typer.echo(
                        f"{'Removing' if yes else 'Would remove'} {state.job} ({state.status}, {ago(state.heartbeat)})"
                    )
                    if yes:
                        remove_job(cluster, store, state)
            case "show", None:
                raise UsageError("`jobs show` requires the name of a job; `indexer jobs` lists them.")
            case "list" | "clean", str():
                raise UsageError(f"`jobs {action}` takes no job; use `jobs show {job}` to see one.")
            case _:
                raise UsageError(f"unknown action {action!r}; use list, show JOB or clean.")
    return 0


def job_as_json(state: JobState) -> str:
    """A job as a line of JSON."""
    return orjson.dumps(write_job(state), option=orjson.OPT_APPEND_NEWLINE).decode()


def print_jobs(states: tuple[JobState, ...]) -> None:
    """Print a line for each job."""
    console = output_console()
    if not states:
        console.print("No jobs.")
        return
    wide = console.width >= _WIDE
    headers = ["job", *(["table"] if wide else []), "status", "rows", "dead letters", "heartbeat"]
    rows = [_cells(state, wide=wide) for state in states]
    widths = [max(map(len, (header, *column))) for header, column in zip(headers, zip(*rows, strict=True), strict=True)]
    if sum(widths) + 2 * len(widths) > console.width:
        for state in states:
            console.print(f"{state.job}\n  {_line(state)}")
        return
    grid = plain_table(*(Column(header, justify="right" if header in _NUMBERS else "left") for header in headers))
    for row in rows:
        grid.add_row(*row)
    console.print(grid)


def _cells(state: JobState, *, wide: bool) -> tuple[str, ...]:
    table = (state.table,) if wide else ()
    heartbeat = state.heartbeat if wide else ago(state.heartbeat)
    return state.job, *table, state.status, _rows(state), f"{state.dead_letters:,}", heartbeat


def _line(state: JobState) -> str:
    """A job in a line, for a terminal that is too narrow for the table."""
    return f"{state.status}, rows: {_rows(state)}, dead letters: {state.dead_letters:,}, {ago(state.heartbeat)}"


def print_job(state: JobState) -> None:
    """Print everything that is known of a job."""
    output_console().print(facts_table(_facts(state)))


def _facts(state: JobState) -> list[tuple[str, str]]:
    done = sum(not slice_.windows for slice_ in state.slices)
    return [
        ("job", state.job),
        ("alias", state.alias),
        ("status", f"{state.status}{': ' + state.error if state.error else ''}"),
        ("holder", str(state.holder)),
        ("heartbeat", f"{state.heartbeat} ({ago(state.heartbeat)})"),
        ("rows", _rows(state)),
        ("slices", f"{done} of {len(state.slices)} done"),
        ("caught up", f"{sum(slice_.read for pass_ in state.passes for slice_ in pass_.slices):,} rows after the load"),
        ("dead letters", _dead_letters(state)),
        ("nulled", f"{state.nulled:,} values (NaN, Infinity)"),
        *((name, value or "none") for name, value in state.fingerprint.items()),
    ]


def _rows(state: JobState) -> str:
    read = sum(slice_.read for slice_ in state.slices)
    return f"{read:,}" if read == state.rows else f"{read:,} of {state.rows:,}"


def _dead_letters(state: JobState) -> str:
    settled = f", {state.settled:,} settled" if state.settled else ""
    replay = f"; `indexer replay {state.job}`" if state.dead_letters and state.status is JobStatus.DONE else ""
    return f"{state.dead_letters:,}{settled}{replay}"


@command("index", OptionGroup.TARGET)
def rollback_command(settings: Settings) -> int:
    """Works while a previous index is kept (`reindex --keep N`); the switch is one atomic step.

    Examples:
      indexer rollback --index logs
    """
    if not settings.index:
        raise UsageError("rollback requires the alias to move; name it with --index.")
    with connect(settings.target_access) as cluster:
        result = roll_back(cluster, settings.index)
    typer.echo(f"The alias {result.alias} points to {result.after}; before, it pointed to {', '.join(result.before)}.")
    return 0
