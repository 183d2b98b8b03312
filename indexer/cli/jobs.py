"""`indexer jobs`: what jobs there were, what one did, and removing what failed ones left."""

from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid

from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.errors import UsageError
from indexer.model.job.state import JobState, JobStatus, write_job

__all__ = ["job_as_json", "jobs_command", "print_job", "print_jobs", "rollback_command"]


def job_as_json(state: JobState) -> str:
    """A job as a line of JSON."""
    return orjson.dumps(write_job(state), option=orjson.OPT_APPEND_NEWLINE).decode()


def print_jobs(states: tuple[JobState, ...]) -> None:
    """Print a line a job."""
    console = Console(highlight=False)
    if not states:
        console.print("No job is known here.")
        return
    # `show` and `replay` take a job's name: on a narrow terminal, what else there is gives way.
    job, beat = Column("job", no_wrap=True), Column("last heartbeat", overflow="fold")
    grid = Grid(job, "table", "status", "rows", "dead letters", beat, box=None, pad_edge=False)
    for state in states:
        rows = f"{_read(state):,} of {state.rows:,}"
        grid.add_row(state.job, state.table, str(state.status), rows, f"{state.dead_letters:,}", state.heartbeat)
    console.print(grid)


def print_job(state: JobState) -> None:
    """Print all that is known of a job."""
    facts = Grid.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in _facts(state):
        facts.add_row(name, value)
    Console(highlight=False).print(facts)


def _facts(state: JobState) -> list[tuple[str, str]]:
    done = sum(not part.windows for part in state.slices)
    return [
        ("job", state.job),
        ("alias", state.alias),
        ("status", f"{state.status}{': ' + state.error if state.error else ''}"),
        ("holder", str(state.holder)),
        ("last heartbeat", state.heartbeat),
        ("rows", f"{_read(state):,} of {state.rows:,}, {done} of {len(state.slices)} slices are done"),
        ("caught up", f"{sum(part.read for one in state.passes for part in one.slices):,} rows after the load"),
        ("dead letters", _dead(state)),
        ("nulled", f"{state.nulled:,} values that were NaN or infinite"),
        *((name, value or "none") for name, value in state.fingerprint.items()),
    ]


def _read(state: JobState) -> int:
    return sum(part.read for part in state.slices)


def _dead(state: JobState) -> str:
    settled = f", {state.settled:,} are settled" if state.settled else ""
    replay = f": `indexer replay {state.job}`" if state.dead_letters and state.status is JobStatus.DONE else ""
    return f"{state.dead_letters:,} left{settled}{replay}"


EXAMPLES = """
List jobs, the last one first; show one; remove what unfinished ones left.

Examples:

  indexer jobs

  indexer jobs show logs_20261122_101500

  indexer jobs clean

`clean` says what it would remove; `clean --yes` removes it. A job that runs is never touched.
"""


@command_errors
def jobs_command(  # noqa: D103  # EXAMPLES is its help
    what: Annotated[str, typer.Argument(help="list, show or clean.", metavar="[list|show|clean]")] = "list",
    job: Annotated[str | None, typer.Argument(help="The job to show.", metavar="[JOB]")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what `clean` lists.")] = False,  # noqa: FBT002  # a flag is a boolean
    as_json: Annotated[
        bool | None, typer.Option("--json", help="One JSON object a job, a line each.", show_default=False)
    ] = None,
    target: o.Target = None,
    jobs_index: o.JobsIndex = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    target_cert: o.TargetCert = None,
    target_cert_key: o.TargetCertKey = None,
    target_verify: o.TargetVerify = None,
    target_timeout: o.TargetTimeout = None,
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    reach = o.of_target(locals())
    from indexer.errors import UsageError
    from indexer.job.jobs import find_job, remove_job, unfinished_jobs
    from indexer.settings import load_settings
    from indexer.sink.client import connect
    from indexer.sink.job_store import JobStore

    settings = load_settings(jobs_index=jobs_index, as_json=as_json, **reach)
    with connect(settings.target_access) as cluster:
        known = JobStore(cluster, settings.jobs_index)
        match what, job:
            case "list", None:
                found = known.all()
                if settings.as_json:
                    typer.echo("".join(map(job_as_json, found)), nl=False)
                else:
                    print_jobs(found)
            case "show", str():
                one = find_job(known, job)
                typer.echo(job_as_json(one), nl=False) if settings.as_json else print_job(one)
            case "clean", None:
                for state in unfinished_jobs(cluster, known):
                    typer.echo(f"{'Removing' if yes else 'Would remove'} {state.job}, {state.status} {state.heartbeat}")
                    if yes:
                        remove_job(cluster, known, state)
            case _:
                raise UsageError(f"{what!r} with {job!r} means nothing: write list, show JOB, or clean.")
    return 0


ROLLBACK_EXAMPLES = """
Switch an alias back, in one atomic step, to the previous index that was kept (`reindex --keep N`).

Examples:

  indexer rollback --index logs
"""


@command_errors
def rollback_command(  # noqa: D103  # EXAMPLES is its help
    index: Annotated[str | None, typer.Option(help="The alias.", metavar="NAME")] = None,
    target: o.Target = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    target_cert: o.TargetCert = None,
    target_cert_key: o.TargetCertKey = None,
    target_verify: o.TargetVerify = None,
    target_timeout: o.TargetTimeout = None,
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    reach = o.of_target(locals())
    from indexer.job.jobs import roll_back
    from indexer.settings import load_settings
    from indexer.sink.client import connect

    settings = load_settings(index=index, **reach)
    if not settings.index:
        raise UsageError("No alias is named: name the one to switch back with --index.")
    with connect(settings.target_access) as cluster:
        done = roll_back(cluster, settings.index)
    typer.echo(f"The alias {done.alias} points to {done.after}; it pointed to {', '.join(done.before)}.")
    return 0
