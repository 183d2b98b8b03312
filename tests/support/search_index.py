"""Log lines in an index of its own, and the search command on them."""

from collections.abc import Sequence
from pathlib import Path

from indexer.job.overlay_file import find_overlay
from indexer.model.json import Row
from indexer.model.table.table import ColumnKind, Table, TableName
from indexer.settings import TargetAccess
from indexer.sink.client import connect
from indexer.sink.index import Indexes
from tests.support.columns import column
from tests.support.loaded_index import load

__all__ = ["NOON", "TABLE", "serve"]

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


def serve(url: str, alias: str, rows: Sequence[Row], folder: Path) -> str:
    """Load rows of `TABLE` behind the alias, mapped by the shipped overlay of `logs`."""
    overlay, _ = find_overlay(TABLE, directory=folder)
    with connect(TargetAccess(url=url)) as cluster:
        Indexes(cluster).switch(alias, load(cluster, alias, TABLE, overlay, rows).index)
    return alias
