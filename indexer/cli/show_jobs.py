"""Jobs as people read them, and as JSON."""

import orjson
from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid

from indexer.model.job import JobState, Status, write_job

__all__ = ["job_as_json", "print_job", "print_jobs"]


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
    done = sum(not part.windows for part in state.left)
    return [
        ("job", state.job),
        ("alias", state.alias),
        ("status", f"{state.status}{': ' + state.error if state.error else ''}"),
        ("holder", str(state.holder)),
        ("last heartbeat", state.heartbeat),
        ("rows", f"{_read(state):,} of {state.rows:,}, {done} of {len(state.left)} slices are done"),
        ("caught up", f"{sum(part.read for one in state.rounds for part in one.left):,} rows after the load"),
        ("dead letters", _dead(state)),
        ("nulled", f"{state.nulled:,} values that were NaN or infinite"),
        *((name, value or "none") for name, value in state.terms.items()),
    ]


def _read(state: JobState) -> int:
    return sum(part.read for part in state.left)


def _dead(state: JobState) -> str:
    settled = f", {state.settled:,} are settled" if state.settled else ""
    replay = f": `indexer replay {state.job}`" if state.dead_letters and state.status is Status.DONE else ""
    return f"{state.dead_letters:,} left{settled}{replay}"
