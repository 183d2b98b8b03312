"""An index of log lines, mapped by the shipped overlay, for tests of searches."""

from collections.abc import Sequence
from pathlib import Path

from indexer.access import TargetAccess
from indexer.job.overlay_file import find_overlay
from indexer.model.json import Row
from indexer.model.table.table import ColumnKind, Table, TableName
from indexer.sink.client import connect
from indexer.sink.index import Indexes
from tests.support.columns import column
from tests.support.loaded_index import load_index

__all__ = ["NOON", "TABLE", "load_logs"]

NOON = 1_761_998_400_000
"""2025-11-01T12:00:00Z."""

TABLE = Table(
    TableName("logs"),
    (
        column("id", ColumnKind.INTEGER),
        column("ts", ColumnKind.TIMESTAMP),
        column("level", ColumnKind.TEXT),
        column("service", ColumnKind.TEXT),
        column("status", ColumnKind.INTEGER),
        column("latency_ms", ColumnKind.DOUBLE),
        column("message", ColumnKind.TEXT),
    ),
    primary_key=("id",),
)


def load_logs(url: str, alias: str, rows: Sequence[Row], folder: Path) -> str:
    """Index rows of `TABLE` with the shipped overlay of `logs`, and point the alias at them; returns the alias."""
    overlay, _ = find_overlay(TABLE, directory=folder)
    with connect(TargetAccess(url=url)) as cluster:
        Indexes(cluster).switch(alias, load_index(cluster, alias, TABLE, overlay, rows).index)
    return alias
