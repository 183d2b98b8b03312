"""The shards of a CrateDB table: which of them cannot be read now, and what they hold."""

from indexer.model.identifier import TableName
from indexer.source.counting import integer
from indexer.source.crate_client import CrateConnection

__all__ = ["absent_shards", "stored_rows"]

_ABSENT = """
    SELECT p.values, s.id, s.routing_state
    FROM sys.shards s
    LEFT JOIN information_schema.table_partitions p
      ON p.table_schema = s.schema_name AND p.table_name = s.table_name AND p.partition_ident = s.partition_ident
    WHERE s.schema_name = ? AND s.table_name = ? AND s.primary AND s.routing_state NOT IN ('STARTED', 'RELOCATING')
    ORDER BY s.partition_ident, s.id
"""
"""A relocating shard is read from where it still is."""

_STORED = """
    SELECT count(*), sum(num_docs) FROM sys.shards
    WHERE schema_name = ? AND table_name = ? AND primary AND routing_state IN ('STARTED', 'RELOCATING')
"""


def absent_shards(connection: CrateConnection, name: TableName) -> tuple[str, ...]:
    """The primary shards that are not started: `shard 2 of {'day': 3} is UNASSIGNED`.

    Raises:
        SourceError: as every query does.
    """
    rows = connection.run(_ABSENT, [name.schema, name.name])
    return tuple(f"shard {number} of {values or name} is {state}" for values, number, state in rows)


def stored_rows(connection: CrateConnection, name: TableName) -> int | None:
    """The rows in the primary shards that can be read; None where there are none, as for a view.

    Raises:
        SourceError: as every query does.
    """
    [(shards, rows)] = connection.run(_STORED, [name.schema, name.name])
    return integer(rows or 0) if shards else None
