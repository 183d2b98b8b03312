"""The key: the column by which pages advance, and its tiebreakers."""

from dataclasses import dataclass
from enum import StrEnum

from indexer.errors import UsageError, did_you_mean
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind, Table

__all__ = ["Key", "KeyOrder", "catch_up_key", "choose_key", "immutable_key", "key_may_change"]


class KeyOrder(StrEnum):
    """How a key's values are walked."""

    NUMBER = "number"
    """Integers and timestamps, by ranges with two bounds."""
    TEXT = "text"
    """Text, by prefixes: the cost of a range of text grows with the table in CrateDB (docs/servers.md)."""


_ORDERS = {
    **dict.fromkeys((*INTEGER_KINDS, ColumnKind.TIMESTAMP), KeyOrder.NUMBER),
    ColumnKind.TEXT: KeyOrder.TEXT,
}

_TIE_KINDS = frozenset(
    {*INTEGER_KINDS, ColumnKind.TIMESTAMP, ColumnKind.TEXT, ColumnKind.CHAR, ColumnKind.UUID, ColumnKind.BOOLEAN}
)


@dataclass(frozen=True, slots=True)
class Key:
    """The columns by which pages advance.

    Attributes:
        column: the key column, whose values the windows range over.
        order: how its values are walked.
        tiebreakers: the columns that order rows of one key value: the rest of `--key`, then that of the primary key.
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
        """The dotted names of the key column and its tiebreakers."""
        return (self.column.name, *(column.name for column in self.tiebreakers))


def choose_key(table: Table, names: tuple[str, ...] = ()) -> Key:
    """The key made of the named columns or, without names, the best key that the table has.

    In order of preference: a primary key of one indexed number or timestamp; a timestamp column; a numeric column; a
    text column, walked by prefixes. The key need not be unique: the primary key breaks its ties.

    Raises:
        UsageError: if a named column does not exist or cannot be a key, or the table has no column that can.
    """
    if names:
        return _named_key(table, names)
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
        f"{table.name} has no column that can be a key, which takes an indexed integer, timestamp or text column: name"
        " a sub-column with --key attrs.seq, or add such a column."
    )


def catch_up_key(table: Table, name: str) -> Key:
    """The key by which `--catch-up` finds new rows.

    Raises:
        UsageError: if the column does not exist, or cannot order rows by age.
    """
    column = table.column(name)
    if column is None:
        raise UsageError(f"--catch-up: {table.name} has no column {name}.{did_you_mean(name, table.column_names)}")
    if _order(column) is not KeyOrder.NUMBER:
        raise UsageError(
            f"{name} ({column.type.sql or column.type.kind}) cannot drive --catch-up: name an integer or timestamp"
            " column that increases with each row, or with each change."
        )
    if not column.indexed:
        raise UsageError(f"{name} cannot drive --catch-up, because it is not indexed: name an indexed column.")
    return choose_key(table, (name,))


def immutable_key(table: Table) -> Key | None:
    """A key whose values no UPDATE can change, because its column is in the primary key; None where there is none."""
    columns = (column for name in table.primary_key if (column := table.column(name)) is not None)
    candidates = [column for column in columns if column.indexed and _order(column) is not None]
    numbers = [column for column in candidates if _order(column) is KeyOrder.NUMBER]
    return next((choose_key(table, (column.name,)) for column in (*numbers, *candidates)), None)


def key_may_change(table: Table, key: Key) -> bool:
    """Whether an UPDATE can change a row's value of this key, and the table has a key where it cannot."""
    return key.column.name not in table.primary_key and immutable_key(table) is not None


def _named_key(table: Table, names: tuple[str, ...]) -> Key:
    key_column, *rest = (_column(table, name) for name in names)
    if _order(key_column) is None:
        raise UsageError(
            f"{key_column.name} is {key_column.type.sql or key_column.type.kind}, which cannot be a key:"
            " name an integer, timestamp or text column with --key."
        )
    if not key_column.indexed:
        raise UsageError(
            f"{key_column.name} is not indexed as a whole value, so each page would read the whole table: name an"
            " indexed column with --key."
        )
    return _key(table, key_column, extra=tuple(rest), reason="named by --key")


def _key(table: Table, key_column: Column, *, reason: str, extra: tuple[Column, ...] = ()) -> Key:
    primary = tuple(_column(table, name) for name in table.primary_key)
    order = _order(key_column)
    if order is None:  # pragma: no cover - the callers have checked
        raise UsageError(f"{key_column.name} cannot be a key.")
    unique = table.primary_key == (key_column.name,)
    tiebreakers: dict[str, Column] = (
        {} if unique else {c.name: c for c in (*extra, *primary) if c.name != key_column.name}
    )
    for column in extra:
        if column.nullable:
            raise UsageError(
                f"{column.name} may be NULL, so it cannot be a tiebreaker of the key {key_column.name}: leave it out of"
                " --key; the primary key breaks ties by itself."
            )
    for column in tiebreakers.values():
        if column.type.array or column.type.kind not in _TIE_KINDS:
            raise UsageError(
                f"{column.name} is {column.type.sql or column.type.kind}, which cannot be a tiebreaker of the key"
                f" {key_column.name}: name a key of integer, timestamp or text columns with --key."
            )
    return Key(column=key_column, order=order, tiebreakers=tuple(tiebreakers.values()), unique=unique, reason=reason)


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise UsageError(f"{table.name} has no column {name}.{did_you_mean(name, table.column_names)}")
    return column


def _order(column: Column) -> KeyOrder | None:
    return None if column.type.array else _ORDERS.get(column.type.kind)
