"""What every page of a job selects, and where each value stands in a row."""

from dataclasses import dataclass

from indexer.errors import UsageError
from indexer.model.table.key import Key
from indexer.model.table.table import Column, Table, nearest

__all__ = ["Selection", "select", "with_key"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns, the order and the filter that all pages of a job share.

    A row of a page holds the values of `columns`, then of `hidden`, then the hidden row id where `row_id` is named.

    Attributes:
        table: the table that is read.
        key: by what pages advance.
        columns: the top-level columns that documents are made of.
        hidden: columns that the key or `_id` needs and that are not among `columns`: sub-columns, or left out.
        id_columns: the columns whose values make `_id`; empty where the hidden row id does.
        where: the user's SQL condition, or None.
    """

    table: Table
    key: Key
    columns: tuple[Column, ...]
    hidden: tuple[Column, ...]
    id_columns: tuple[Column, ...]
    where: str | None = None

    @property
    def row_id(self) -> str | None:
        """The hidden row id, selected last where no column identifies a row; None where `id_columns` do."""
        return None if self.id_columns else self.table.row_id

    @property
    def width(self) -> int:
        """The number of values in a row."""
        return len(self.columns) + len(self.hidden) + (self.row_id is not None)

    @property
    def tiebreakers(self) -> tuple[Column, ...]:
        """What orders the rows of one key value: the key's ties, then what makes `_id`; empty for a unique key column.

        The key's ties hold the primary key where there is one; then `_id` can add nothing to the order.
        """
        if self.key.unique:
            return ()
        known = (self.key.column, *self.key.tiebreakers)
        more = () if self.table.primary_key else self.id_columns
        return (*self.key.tiebreakers, *(column for column in more if column not in known))

    @property
    def tiebreaker_places(self) -> tuple[int, ...]:
        """Where the values of `ties` stand in a row, and last the hidden row id where that identifies it."""
        if self.key.unique:
            return ()
        row_id = () if self.row_id is None else (self.width - 1,)
        return (*map(self.place, self.tiebreakers), *row_id)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key and what breaks its ties, then those of `_id` that are not among them."""
        known = (self.key.column, *self.key.tiebreakers)
        return (*known, *(column for column in self.id_columns if column not in known))

    def place(self, column: Column) -> int:
        """Where the column's value stands in a row."""
        return (*self.columns, *self.hidden).index(column)


def select(
    table: Table,
    key: Key,
    *,
    columns: tuple[str, ...] = (),
    where: str | None = None,
    id_columns: tuple[str, ...] = (),
) -> Selection:
    """Compose a selection.

    Args:
        table: the table to read.
        key: by what pages advance.
        columns: the top-level columns that documents are made of; empty for all.
        where: an SQL condition.
        id_columns: the columns that make `_id`; empty for the primary key.

    Raises:
        UsageError: for an unknown column, or where nothing identifies a row.
    """
    chosen = tuple(_top_level(table, name) for name in columns) or table.columns
    ids = tuple(_any(table, name) for name in id_columns or table.primary_key)
    if not ids and table.row_id is None:
        raise UsageError(
            f"{table.name} has no primary key, so nothing makes a document's _id:"
            " name columns that identify a row in the mapping file, for example `id: [host, seq]`."
        )
    needed = {column.name: column for column in (key.column, *key.tiebreakers, *ids) if column not in chosen}
    return Selection(table, key, chosen, tuple(needed.values()), ids, where)


def with_key(selection: Selection, key: Key) -> Selection:
    """The same rows and documents, by another key."""
    return select(
        selection.table,
        key,
        columns=tuple(column.name for column in selection.columns),
        where=selection.where,
        id_columns=tuple(column.name for column in selection.id_columns),
    )


def _any(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise UsageError(f"{table.name} has no column {name}.{nearest(name, table.column_names)}")
    return column


def _top_level(table: Table, name: str) -> Column:
    column = _any(table, name)
    if len(column.path) > 1:
        raise UsageError(
            f"--columns takes whole columns, not the sub-column {name}:"
            f" select {column.path[0]} and leave sub-columns out in the mapping file."
        )
    return column
