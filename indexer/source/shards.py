"""The shards of a CrateDB table: which of them cannot be read now."""

from indexer.model.identifier import TableName
from indexer.source.crate_client import CrateConnection

__all__ = ["absent_shards"]

_ABSENT = """
    SELECT p.values, s.id, s.routing_state
    FROM sys.shards s
    LEFT JOIN information_schema.table_partitions p
      ON p.table_schema = s.schema_name AND p.table_name = s.table_name AND p.partition_ident = s.partition_ident
    WHERE s.schema_name = ? AND s.table_name = ? AND s.primary AND s.routing_state NOT IN ('STARTED', 'RELOCATING')
    ORDER BY s.partition_ident, s.id
"""
"""A relocating shard is read from where it still is."""


def absent_shards(connection: CrateConnection, name: TableName) -> tuple[str, ...]:
    """The primary shards that are not started: `shard 2 of {'day': 3} is UNASSIGNED`.

    Raises:
        SourceError: as every query does.
    """
    rows = connection.run(_ABSENT, [name.schema, name.name])
    return tuple(f"shard {number} of {values or name} is {state}" for values, number, state in rows)
