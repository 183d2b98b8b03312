"""`reindex` itself: the console script that is installed, its process measured from outside."""

from dataclasses import replace

from pydantic import BaseModel

from bench.child import console_script, finish
from bench.meter import Meter
from bench.run import Run, Task
from bench.ways.ours import JOBS

__all__ = ["reindex", "reindex_command"]


class _Report(BaseModel):
    """What is used of the report that `reindex --json` prints."""

    index: str
    rows_read: int
    seconds: float


def reindex_command(task: Task) -> list[str]:
    """`reindex` and its arguments; it moves no alias."""
    return [
        *(str(console_script("reindex")), "--json", "--quiet", "--no-switch"),
        *("--source", task.source, "--target", task.target),
        *("--table", task.table, "--index", task.alias, "--jobs-index", JOBS),
        *(("--mapping", task.mapping) if task.mapping else ()),
        *task.options,
    ]


def reindex(task: Task) -> tuple[Run, str]:
    """Run it without moving an alias. The seconds are the report's: those of the load, as of every other way.

    Returns:
        what was measured, and the index that it made.

    Raises:
        ChildFailed: where it does not end in 0.
    """
    with Meter(task.source, task.target) as meter:
        done = finish(reindex_command(task))
    report = _Report.model_validate_json(done.output)
    spent = replace(meter.spent, seconds=report.seconds, client=done.cpu)
    return Run(task.way, report.rows_read, spent, done.peak_rss, wall=done.seconds), report.index
