"""The selection: the columns, key and filter that every page of a job shares."""

from dataclasses import dataclass

from indexer.errors import UsageError, did_you_mean
from indexer.model.table.key import Key
from indexer.model.table.table import Column, Table

__all__ = ["Selection", "select", "with_key"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns, the key and the filter that all pages of a job share.

    A row of a page holds the values of `columns`, then those of `hidden`, then the hidden row id if `row_id` is set.

    Attributes:
        table: the table to read.
        key: the columns by which pages advance.
        columns: the top-level columns that documents are made of.
        hidden: columns that only the key or `_id` needs: sub-columns, or columns that documents leave out.
        id_columns: the columns that make `_id`; empty where the hidden row id does.
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
        """What orders the rows of one key value: the key's tiebreakers, then the `_id` columns; empty for a unique key.

        Where there is a primary key, the tiebreakers include it, so that `_id` columns would add nothing.
        """
        if self.key.unique:
            return ()
        known = (self.key.column, *self.key.tiebreakers)
        further = () if self.table.primary_key else self.id_columns
        return (*self.key.tiebreakers, *(column for column in further if column not in known))

    @property
    def tiebreaker_positions(self) -> tuple[int, ...]:
        """The positions in a row of the `tiebreakers` and, last, of the hidden row id where it identifies the row."""
        if self.key.unique:
            return ()
        row_id = () if self.row_id is None else (self.width - 1,)
        return (*map(self.position, self.tiebreakers), *row_id)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The key column and its tiebreakers, then the `_id` columns that are not among them."""
        known = (self.key.column, *self.key.tiebreakers)
        return (*known, *(column for column in self.id_columns if column not in known))

    def position(self, column: Column) -> int:
        """The position of the column's value in a row."""
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
        key: the columns by which pages advance.
        columns: the top-level columns that documents are made of; empty for all.
        where: an SQL condition.
        id_columns: the columns that make `_id`; empty for the primary key.

    Raises:
        UsageError: for an unknown column, or if nothing identifies a row.
    """
    selected = tuple(_top_level_column(table, name) for name in columns) or table.columns
    ids = tuple(_column(table, name) for name in id_columns or table.primary_key)
    if not ids and table.row_id is None:
        raise UsageError(
            f"{table.name} has no primary key to make _id of: name columns that identify a row in the mapping file, for"
            " example `id: [host, seq]`."
        )
    hidden = {column.name: column for column in (key.column, *key.tiebreakers, *ids) if column not in selected}
    return Selection(table, key, selected, tuple(hidden.values()), ids, where)


def with_key(selection: Selection, key: Key) -> Selection:
    """The same selection with another key."""
    return select(
        selection.table,
        key,
        columns=tuple(column.name for column in selection.columns),
        where=selection.where,
        id_columns=tuple(column.name for column in selection.id_columns),
    )


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise UsageError(f"{table.name} has no column {name}.{did_you_mean(name, table.column_names)}")
    return column


def _top_level_column(table: Table, name: str) -> Column:
    column = _column(table, name)
    if len(column.path) > 1:
        raise UsageError(
            f"--columns takes whole columns, not the sub-column {name}: select {column.path[0]}, and leave sub-columns"
            " out in the mapping file."
        )
    return column
