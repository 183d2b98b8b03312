"""How this product's own ways are set up."""

from pathlib import Path
from typing import Final

from bench.run import Task
from indexer.job.planner import slice_table
from indexer.model.job.plan import Plan
from indexer.model.paging.slice import Slice
from indexer.settings import Settings, load_settings
from indexer.source.protocol import Source

__all__ = ["JOBS", "settings_of", "slices_of"]


JOBS: Final = "bench-jobs"
"""Where the benchmark's jobs are kept: not among those of users."""


def settings_of(task: Task) -> Settings:
    """Those of a `reindex` of the task's table, with all that the task does not say at its default."""
    return load_settings(
        source=task.source,
        target=task.target,
        table=task.table,
        mapping=Path(task.mapping) if task.mapping else None,
        index=task.alias,
        jobs_index=JOBS,
    )


def slices_of(made: Plan, source: Source, settings: Settings) -> tuple[Slice, ...]:
    """The slices that a `reindex` by this plan would begin with."""
    return slice_table(source, made.selection, settings.strategy, made.page)
