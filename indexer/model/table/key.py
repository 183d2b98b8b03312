"""The key: the column by which pages advance, and what breaks its ties."""

from dataclasses import dataclass
from enum import StrEnum

from indexer.errors import UsageError
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind, Table, nearest

__all__ = ["Key", "KeyOrder", "catch_up_key", "choose_key", "immutable_key", "key_may_change"]


class KeyOrder(StrEnum):
    """How a key's values are walked."""

    NUMBER = "number"
    """Integers and timestamps, by two-sided windows."""
    TEXT = "text"
    """Text, by prefixes: a two-sided range on text is not flat in CrateDB (docs/servers.md)."""


_ORDERS = {
    **dict.fromkeys((*INTEGER_KINDS, ColumnKind.TIMESTAMP), KeyOrder.NUMBER),
    ColumnKind.TEXT: KeyOrder.TEXT,
}

_TIE_KINDS = frozenset(
    {*INTEGER_KINDS, ColumnKind.TIMESTAMP, ColumnKind.TEXT, ColumnKind.CHAR, ColumnKind.UUID, ColumnKind.BOOLEAN}
)


@dataclass(frozen=True, slots=True)
class Key:
    """By what pages advance.

    Attributes:
        column: the column whose values the windows range over.
        order: how its values are walked.
        ties: the columns that order rows of one key value: the rest of `--key`, then the rest of the primary key.
            Empty where the key column is unique, or where the table has only a hidden row id.
        unique: whether no two rows can share a key value.
        reason: why this key was chosen, for `indexer plan`.
    """

    column: Column
    order: KeyOrder
    tiebreakers: tuple[Column, ...]
    unique: bool
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """The dotted names of the key column and of what breaks its ties."""
        return (self.column.name, *(tie.name for tie in self.tiebreakers))


def choose_key(table: Table, wanted: tuple[str, ...] = ()) -> Key:
    """The key that the user named or, by the order of preference, the best one there is.

    Preference: a single indexed numeric or timestamp column of the primary key; a timestamp column; a numeric
    column; a text column, walked by prefixes. The key need not be unique: ties go on by the primary key.

    Raises:
        UsageError: where a named column does not exist or cannot be paged by, or where no column can.
    """
    if wanted:
        return _named(table, wanted)
    primary = [_column(table, name) for name in table.primary_key]
    indexed = [column for column in table.columns if column.indexed and _order(column) is not None]
    if len(primary) == 1 and primary[0].indexed and _order(primary[0]) is KeyOrder.NUMBER:
        return _key(table, primary[0], reason="the primary key is one indexed number")
    for column in indexed:
        if column.type.kind is ColumnKind.TIMESTAMP:
            return _key(table, column, reason="the first indexed timestamp column, as most logs have")
    numbers = [column for column in (*primary, *indexed) if column.indexed and _order(column) is KeyOrder.NUMBER]
    for column in numbers:
        return _key(table, column, reason="the first indexed number")
    for column in [c for c in (*primary, *indexed) if c.indexed and _order(c) is KeyOrder.TEXT]:
        return _key(table, column, reason="no number or timestamp is indexed, so a text column by its prefixes")
    raise UsageError(
        f"{table.name} has no column to page by: it takes an indexed integer, timestamp or text column;"
        " name a sub-column with --key attrs.seq, or add such a column."
    )


def catch_up_key(table: Table, name: str) -> Key:
    """The key by which `--catch-up` finds the rows that are new.

    Raises:
        UsageError: where the column does not exist, or does not tell which rows are new.
    """
    column = table.column(name)
    if column is None:
        raise UsageError(f"--catch-up: {table.name} has no column {name}.{nearest(name, table.column_names)}")
    if _order(column) is not KeyOrder.NUMBER:
        raise UsageError(
            f"--catch-up: {name} is {column.type.sql or column.type.kind}, by which new rows cannot be told:"
            " name an integer or timestamp column that grows with each row, or with each change."
        )
    if not column.indexed:
        raise UsageError(
            f"--catch-up: {name} is not indexed, so no new row can be found by it: name an indexed column."
        )
    return choose_key(table, (name,))


def immutable_key(table: Table) -> Key | None:
    """A key that no UPDATE moves a row by, for it is part of the primary key; None where there is none."""
    columns = (column for name in table.primary_key if (column := table.column(name)) is not None)
    able = [column for column in columns if column.indexed and _order(column) is not None]
    numbers = [column for column in able if _order(column) is KeyOrder.NUMBER]
    return next((choose_key(table, (column.name,)) for column in (*numbers, *able)), None)


def key_may_change(table: Table, key: Key) -> bool:
    """Whether an UPDATE may move a row by this key, where there is another by which it does not."""
    return key.column.name not in table.primary_key and immutable_key(table) is not None


def _named(table: Table, wanted: tuple[str, ...]) -> Key:
    key_column, *rest = (_column(table, name) for name in wanted)
    if _order(key_column) is None:
        raise UsageError(
            f"{key_column.name} is {key_column.type.sql or key_column.type.kind} and cannot be a key:"
            " name an integer, timestamp or text column with --key."
        )
    if not key_column.indexed:
        raise UsageError(
            f"{key_column.name} is not indexed as a whole value, so every page would read the whole table:"
            " name an indexed column with --key."
        )
    return _key(table, key_column, extra=tuple(rest), reason="named by --key")


def _key(table: Table, key_column: Column, *, reason: str, extra: tuple[Column, ...] = ()) -> Key:
    primary = tuple(_column(table, name) for name in table.primary_key)
    order = _order(key_column)
    if order is None:  # pragma: no cover - the callers have looked
        raise UsageError(f"{key_column.name} cannot be a key.")
    unique = table.primary_key == (key_column.name,)
    tiebreakers: dict[str, Column] = (
        {} if unique else {c.name: c for c in (*extra, *primary) if c.name != key_column.name}
    )
    for column in extra:
        if column.nullable:
            raise UsageError(
                f"{column.name} may be NULL, so it cannot break ties of the key {key_column.name}:"
                " leave it out of --key, the primary key breaks ties by itself."
            )
    for column in tiebreakers.values():
        if column.type.array or column.type.kind not in _TIE_KINDS:
            raise UsageError(
                f"{column.name} is {column.type.sql or column.type.kind} and cannot break ties of the key"
                f" {key_column.name}: name a key of integer, timestamp or text columns with --key."
            )
    return Key(column=key_column, order=order, tiebreakers=tuple(tiebreakers.values()), unique=unique, reason=reason)


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise UsageError(f"{table.name} has no column {name}.{nearest(name, table.column_names)}")
    return column


def _order(column: Column) -> KeyOrder | None:
    return None if column.type.array else _ORDERS.get(column.type.kind)
