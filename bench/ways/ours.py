"""The settings with which this product's own ways run."""

from pathlib import Path

from bench.run import Task
from indexer.settings import Settings, load_settings

__all__ = ["settings_of"]


def settings_of(task: Task) -> Settings:
    """Those of a `reindex` of the task's table, with all that the task does not say at its default."""
    return load_settings(
        source=task.source, target=task.target, table=task.table, mapping=Path(task.mapping), index=task.alias
    )
