"""The primary shards of a CrateDB table: queries leave out those of partitions that are away, and say nothing."""

from typing import Final

from indexer.model.identifier import TableName
from indexer.source.base import Shards
from indexer.source.counting import integer
from indexer.source.crate_client import CrateConnection

__all__ = ["shards"]

_STARTED: Final = """
    SELECT count(*), sum(num_docs) FROM sys.shards
    WHERE schema_name = $1 AND table_name = $2 AND "primary" AND routing_state = 'STARTED'"""

_AWAY: Final = """
    SELECT id, partition_ident, routing_state FROM sys.shards
    WHERE schema_name = $1 AND table_name = $2 AND "primary" AND routing_state <> 'STARTED'
    ORDER BY partition_ident, id LIMIT 10"""


def shards(connection: CrateConnection, name: TableName) -> Shards:
    """Ask `sys.shards`; up to ten of those that are away are named."""
    [(started, rows)] = connection.run(_STARTED, [name.schema, name.name])
    away = [
        f"shard {shard}{f' of partition {partition}' if partition else ''} is {state}"
        for shard, partition, state in connection.run(_AWAY, [name.schema, name.name])
    ]
    return Shards(integer(rows or 0) if started else None, tuple(away))
