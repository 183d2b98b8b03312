"""`reindex` itself: the console script that is installed, measured from outside; and `indexer verify --full`."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from bench.competitors.task import Differences, Run, Task
from bench.meter.child import ChildFailed, console_script, run_child
from bench.meter.meter import Meter
from indexer.settings import Settings, load_settings

__all__ = ["JOBS", "bench_settings", "find_differences", "reindex_command", "run_reindex", "verify_command"]

JOBS: Final = "bench-jobs"
"""The index of the benchmarks' jobs, apart from those of users."""

_DIFFERENCES: Final = TypeAdapter(Differences)


class _Report(BaseModel):
    """What is used of the report that `reindex --json` prints."""

    index: str
    rows_read: int
    seconds: float


def bench_settings(task: Task) -> Settings:
    """The settings of a `reindex` of the task's table, with the default for all that the task does not say."""
    return load_settings(
        source=task.source,
        target=task.target,
        table=task.table,
        mapping=Path(task.mapping) if task.mapping else None,
        index=task.alias,
        jobs_index=JOBS,
    )


def reindex_command(task: Task) -> list[str]:
    """`reindex` and its arguments; it moves no alias."""
    return [*_command("reindex", task, task.alias), "--no-switch", *task.options]


def verify_command(task: Task, index: str) -> list[str]:
    """`indexer verify --full` of the task's table and this index."""
    command, *options = _command("indexer", task, index)
    return [command, "verify", "--full", *options]


def run_reindex(task: Task) -> tuple[Run, str]:
    """Run `reindex`. The seconds are those of the load, by its own report.

    Returns:
        what was measured, and the index that it made.

    Raises:
        ChildFailed: where its exit code is not 0.
    """
    with Meter(task.source, task.target) as meter:
        done = run_child(reindex_command(task))
    report = _Report.model_validate_json(done.output)
    usage = replace(meter.usage, seconds=report.seconds, client=done.cpu)
    return Run(task.competitor, report.rows_read, usage, done.peak_rss, wall=done.seconds), report.index


def find_differences(task: Task, index: str) -> Differences:
    """Compare every row with every document.

    Raises:
        ChildFailed: where `indexer verify` prints no report.
    """
    done = subprocess.run(verify_command(task, index), capture_output=True, check=False)
    try:
        return _DIFFERENCES.validate_json(done.stdout)
    except ValidationError as error:
        reason = done.stderr.decode()[-1000:]
        raise ChildFailed(f"{task.competitor}: verify ended with exit code {done.returncode}: {reason}") from error


def _command(script: str, task: Task, index: str) -> list[str]:
    return [
        *(str(console_script(script)), "--json", "--quiet", "--source", task.source, "--target", task.target),
        *("--table", task.table, "--index", index, "--jobs-index", JOBS),
        *(("--mapping", task.mapping) if task.mapping else ()),
    ]
