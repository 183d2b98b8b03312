"""Columns of tables, for tests without a server."""

from indexer.model.table.table import Column, ColumnKind, ColumnType, ObjectPolicy

__all__ = ["column"]


def column(
    name: str,
    kind: ColumnKind,
    *children: Column,
    array: int = 0,
    policy: ObjectPolicy = ObjectPolicy.DYNAMIC,
    length: int | None = None,
) -> Column:
    """A column, given its dotted name."""
    return Column(tuple(name.split(".")), ColumnType(kind, array, policy, length, sql=kind.upper()), children)
