"""The sample table `logs` as CrateDB describes it, for tests without a server."""

from indexer.model.table.table import ColumnKind, Table
from indexer.sandbox.sample_table import LOGS
from tests.support.columns import column

__all__ = ["SAMPLE"]

SAMPLE = Table(
    LOGS,
    (
        column("id", ColumnKind.BIGINT),
        column("ts", ColumnKind.TIMESTAMP),
        *(column(name, ColumnKind.TEXT) for name in ("level", "service", "host")),
        column("ip", ColumnKind.IP),
        column("status", ColumnKind.INTEGER),
        column("latency_ms", ColumnKind.DOUBLE),
        *(column(name, ColumnKind.TEXT) for name in ("message", "trace_id")),
        column(
            "attrs",
            ColumnKind.OBJECT,
            column(
                "attrs.http",
                ColumnKind.OBJECT,
                column("attrs.http.method", ColumnKind.TEXT),
                column("attrs.http.path", ColumnKind.TEXT),
            ),
            column("attrs.pod", ColumnKind.TEXT),
            column("attrs.region", ColumnKind.TEXT),
        ),
        column("tags", ColumnKind.TEXT, array=1),
        column("location", ColumnKind.GEO_POINT),
    ),
    primary_key=("id",),
)
