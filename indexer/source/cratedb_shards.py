"""The shards of a CrateDB table: which cannot be read now, how many rows they have, how often rows were updated."""

from typing import Final

import sqlalchemy as sa

from indexer.errors import SourceError
from indexer.model.table.key import KeyOrder
from indexer.model.table.selection import Selection
from indexer.model.table.table import TableName
from indexer.source.counts import integer
from indexer.source.cratedb_client import CrateConnection
from indexer.source.cratedb_sql import CrateGrammar, compile_select
from indexer.source.errors import FORBIDDEN, UNKNOWN
from indexer.source.row_order import Element

__all__ = ["count_stored_rows", "unavailable_shards", "update_checksum"]

_UNAVAILABLE: Final = """
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
"""A shard is available where one of its copies is a started primary, or one that is relocating.

Looking for primaries that are not started would find none: CrateDB 6.4.3 reports `primary = false` for every unassigned
copy, even the only one (observed on three nodes). In a table without partitions, `partition_ident` is empty for an
assigned copy and NULL for an unassigned one; without COALESCE a lost replica would look like a lost shard.
"""

_CLOSED: Final = """
    SELECT values FROM information_schema.table_partitions
    WHERE table_schema = ? AND table_name = ? AND closed
    ORDER BY partition_ident
"""
"""No query returns or counts rows of a closed partition, although its shards are started (observed in 6.4.3)."""

_KNOWN: Final = "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
"""A node that has just started answers before it knows its tables, and `sys.shards` is empty then.

So this runs before the query for shards. In the other order, 4 of 28 checks of a starting node found no shard
unavailable, and then none or two thirds of the rows (CrateDB 6.4.3).
"""

_STORED: Final = """
    SELECT count(*), sum(num_docs) FROM sys.shards
    WHERE schema_name = ? AND table_name = ? AND primary AND routing_state IN ('STARTED', 'RELOCATING')
"""


def unavailable_shards(connection: CrateConnection, name: TableName) -> tuple[str, ...]:
    """The primary shards that are not started, `shard 2 of {'day': 3} is UNASSIGNED`, and the closed partitions.

    Raises:
        SourceError: as every query; without the privilege, it names the statement that grants it.
    """
    try:
        [(known,)] = connection.run(_KNOWN, [name.schema, name.name])
        rows = connection.run(_UNAVAILABLE, [name.schema, name.name])
        closed = connection.run(_CLOSED, [name.schema, name.name])
    except SourceError as error:
        if error.code not in FORBIDDEN | UNKNOWN:
            raise
        user = connection.address.user or "the user"
        raise SourceError(
            f"The user may not check the shards of {name} ({error}); GRANT DQL ON TABLE sys.shards TO {user}.",
            error.code,
        ) from error
    unassigned = (f"shard {number} of {values or name} is {state}" for values, number, state in rows)
    unknown = () if known else ("the server does not know the table yet",)
    # Closed partitions first: they never come back by themselves, and messages show only the first few.
    return (*unknown, *(f"the partition {values} is closed" for (values,) in closed), *unassigned)


def count_stored_rows(connection: CrateConnection, name: TableName) -> int | None:
    """The number of rows in the available primary shards; None where there are none, as for a view.

    Raises:
        SourceError: as every query.
    """
    [(shards, rows)] = connection.run(_STORED, [name.schema, name.name])
    return integer(rows or 0) if shards else None


_PRIME: Final = 1_000_003


def update_checksum(connection: CrateConnection, selection: Selection) -> int:
    """The number of updates of each row, weighted by its key where that is a number, summed over all rows.

    An insert adds nothing, a deletion subtracts the row's share. The weights make it unlikely that a deletion cancels
    out an update of another row. It takes 0.1 s a million rows.

    Raises:
        SourceError: as every query.
    """
    grammar = CrateGrammar()
    version = sa.literal_column("_version", sa.BigInteger())  # 1 for a row that was never updated
    summed = sa.func.sum((version - sa.literal_column("1")) * _weight(grammar, selection))
    statement = compile_select(sa.select(summed).select_from(grammar.table(selection.table)))
    [(checksum,)] = connection.run(statement.sql)
    return integer(checksum or 0)


def _weight(grammar: CrateGrammar, selection: Selection) -> Element:
    """A positive number, the same for every row where the key is not a number."""
    prime = sa.literal_column(str(_PRIME), sa.BigInteger())
    if selection.key.order is not KeyOrder.NUMBER:
        return prime
    key_column = sa.cast(grammar.element(selection.key.column), sa.BigInteger())
    return sa.func.coalesce(sa.func.mod(key_column, prime), sa.literal_column("0")) + prime
