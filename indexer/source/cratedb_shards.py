"""The shards of a CrateDB table: which of them cannot be read now, and what they hold."""

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

__all__ = ["absent_shards", "count_stored_rows", "count_updates"]

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

_CLOSED = """
    SELECT values FROM information_schema.table_partitions
    WHERE table_schema = ? AND table_name = ? AND closed
    ORDER BY partition_ident
"""
"""Rows of a closed partition are in no answer, not even in a count, while its shards are started (seen in 6.4.3)."""

_KNOWN = "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
"""A node that has just started answers before it knows its tables: `sys.shards` is empty then, nothing absent.

So this is asked first: what is not absent after the table was known is there. The other way round, 4 of 28 looks at a
node that was starting found nothing absent, and then none or two thirds of the rows (CrateDB 6.4.3).
"""

_STORED = """
    SELECT count(*), sum(num_docs) FROM sys.shards
    WHERE schema_name = ? AND table_name = ? AND primary AND routing_state IN ('STARTED', 'RELOCATING')
"""


def absent_shards(connection: CrateConnection, name: TableName) -> tuple[str, ...]:
    """The primary shards that are not started, `shard 2 of {'day': 3} is UNASSIGNED`, and the closed partitions.

    Raises:
        SourceError: as every query does; where the user may not ask, with the statement that allows it.
    """
    try:
        [(known,)] = connection.run(_KNOWN, [name.schema, name.name])
        rows = connection.run(_ABSENT, [name.schema, name.name])
        closed = connection.run(_CLOSED, [name.schema, name.name])
    except SourceError as error:
        if error.code not in FORBIDDEN | UNKNOWN:
            raise
        user = connection.address.user or "the user"
        raise SourceError(
            f"The user may not see whether all shards of {name} are there ({error}):"
            f" GRANT DQL ON TABLE sys.shards TO {user}.",
            error.code,
        ) from error
    away = (f"shard {number} of {values or name} is {state}" for values, number, state in rows)
    unknown = () if known else ("the table is not known at this moment",)
    # Closed ones first: shards that are away may come back by themselves, and a message names only some of all.
    return (*unknown, *(f"the partition {values} is closed" for (values,) in closed), *away)


def count_stored_rows(connection: CrateConnection, name: TableName) -> int | None:
    """The rows in the primary shards that can be read; None where there are none, as for a view.

    Raises:
        SourceError: as every query does.
    """
    [(shards, rows)] = connection.run(_STORED, [name.schema, name.name])
    return integer(rows or 0) if shards else None


_PRIME: Final = 1_000_003


def count_updates(connection: CrateConnection, selection: Selection) -> int:
    """The sum over all rows of how often each was updated, times a number made of its key where that is a number.

    An insert adds nothing, a deletion takes away what the row had. With the key, one row's deletion makes up for
    another's update by chance alone. It takes 0.1 s a million rows (three million, by hand).

    Raises:
        SourceError: as every query does.
    """
    grammar = CrateGrammar()
    version = sa.literal_column("_version", sa.BigInteger())  # 1 of a row that was never updated
    summed = sa.func.sum((version - sa.literal_column("1")) * _weight(grammar, selection))
    statement = compile_select(sa.select(summed).select_from(grammar.table(selection.table)))
    [(found,)] = connection.run(statement.sql)
    return integer(found or 0)


def _weight(grammar: CrateGrammar, selection: Selection) -> Element:
    """From 1 on."""
    prime = sa.literal_column(str(_PRIME), sa.BigInteger())
    if selection.key.order is not KeyOrder.NUMBER:
        return prime
    key_column = sa.cast(grammar.element(selection.key.column), sa.BigInteger())
    return sa.func.coalesce(sa.func.mod(key_column, prime), sa.literal_column("0")) + prime
