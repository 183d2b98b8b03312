"""The shards of a CrateDB table: which of them cannot be read now, and what they hold."""

from indexer.model.identifier import TableName
from indexer.source.counting import integer
from indexer.source.crate_client import CrateConnection

__all__ = ["absent_shards", "stored_rows"]

_ABSENT = """
    SELECT p.values, s.id, s.state
    FROM (
      SELECT schema_name, table_name, COALESCE(partition_ident, '') AS ident, id, min(routing_state) AS state
      FROM sys.shards
      WHERE schema_name = ? AND table_name = ?
      GROUP BY 1, 2, 3, 4
      HAVING count(*) FILTER (WHERE "primary" AND routing_state IN ('STARTED', 'RELOCATING')) = 0
    ) s
    LEFT JOIN information_schema.table_partitions p
      ON p.table_schema = s.schema_name AND p.table_name = s.table_name AND p.partition_ident = s.ident
    ORDER BY s.ident, s.id
"""
"""A shard is there where one of its copies is a started primary; while that moves, it is read from where it still is.

Asking for primaries that are not started finds none: CrateDB 6.4.3 says `primary = false` of each copy that is
unassigned, also where it is the only one (seen on three nodes). Of a table without partitions, `partition_ident` is
empty for a copy that is assigned and NULL for one that is not: taken as they are, a lost replica would be a lost shard.
"""

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
