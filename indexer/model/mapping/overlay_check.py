"""An overlay checked against its table: whether its columns exist, and whether their values fit the given types."""

from dataclasses import replace
from typing import Final, Literal

from indexer.errors import UsageError, did_you_mean
from indexer.model.mapping.field_type import OBJECTS, SCALARS
from indexer.model.mapping.overlay import FieldOverlay, Overlay
from indexer.model.table.table import ColumnKind, Table

__all__ = ["check_overlay", "fit_overlay", "kept_columns"]

_NO_IDENTITY: Final = frozenset(
    {
        ColumnKind.OBJECT,
        ColumnKind.JSON,
        ColumnKind.GEO_POINT,
        ColumnKind.GEO_SHAPE,
        ColumnKind.FLOAT_VECTOR,
        ColumnKind.UNKNOWN,
    }
)
"""Kinds whose values have no canonical text to make an `_id` of."""


def check_overlay(overlay: Overlay, table: Table) -> None:
    """Check an overlay against the table that it was written for.

    Raises:
        UsageError: for a column that the table does not have, a type that its values cannot have, or columns of `id`
            that cannot identify a row; the message names the file, the field and the remedy.
    """
    problems = (
        *(_field_problem(table, name, option) for name, option in overlay.fields.items()),
        *(_id_problem(table, name) for name in overlay.id_columns),
        *(_hint_problem(table, overlay, name) for name in overlay.search.names),
    )
    for problem in problems:
        if problem:
            raise UsageError(f"{overlay.where}: {problem}")


def fit_overlay(overlay: Overlay, table: Table) -> Overlay:
    """An overlay reduced to the fields and `id` that fit this table: for one that was written for a similar table."""
    fields = {name: option for name, option in overlay.fields.items() if not _field_problem(table, name, option)}
    ids = () if any(_id_problem(table, name) for name in overlay.id_columns) else overlay.id_columns
    return replace(overlay, fields=fields, id_columns=ids)


def kept_columns(table: Table, overlay: Overlay, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The top-level columns to read: those named by `--columns`, or all, minus those that the overlay leaves out.

    Raises:
        UsageError: if no column remains.
    """
    names = named or tuple(column.name for column in table.columns)
    kept = tuple(name for name in names if overlay.fields.get(name) is not False)
    if not kept:
        raise UsageError(f"{overlay.where} leaves out every column of {', '.join(names)}: keep at least one.")
    return kept


def _field_problem(table: Table, name: str, option: FieldOverlay | Literal[False]) -> str | None:
    column = table.column(name)
    if column is None:
        return _unknown_column(table, name)
    if option is False or option.enabled is False or option.type not in _unfit_types(column.type.kind):
        return None
    others = "object, nested or flattened" if column.type.kind is ColumnKind.OBJECT else "a type of single values"
    return (
        f"{name} is {column.type.sql or column.type.kind} and cannot be {option.type}: give it {others}, or false to"
        " leave it out."
    )


def _id_problem(table: Table, name: str) -> str | None:
    column = table.column(name)
    if column is None:
        return _unknown_column(table, name)
    if not column.type.array and column.type.kind not in _NO_IDENTITY:
        return None
    return (
        f"{name} is {column.type.sql or column.type.kind} and cannot be part of `id`: name columns of numbers, text or"
        " times."
    )


def _hint_problem(table: Table, overlay: Overlay, name: str) -> str | None:
    """Search hints name fields of the index: a column by its name or new name, or a sub-field of a column."""
    renamed = (option.rename for option in overlay.fields.values() if option)
    if name in renamed or table.column(name) or table.column(name.rpartition(".")[0]):
        return None
    return f"search: {_unknown_column(table, name)}"


def _unknown_column(table: Table, name: str) -> str:
    return f"{table.name} has no column {name}: correct the name or remove it.{did_you_mean(name, table.column_names)}"


def _unfit_types(kind: ColumnKind) -> frozenset[str]:
    """The field types that reject every value of a column of this kind."""
    if kind is ColumnKind.OBJECT:
        return SCALARS
    may_be_either = {ColumnKind.UNKNOWN, ColumnKind.JSON, ColumnKind.GEO_SHAPE}
    return frozenset() if kind in may_be_either else OBJECTS | {"flattened"}
