"""A total order over rows: what pages are sorted by, and the condition for the rows after the last one read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from indexer.model.json import Json

__all__ = ["Element", "OrderKey", "last_values", "rows_after"]

Element: TypeAlias = ColumnElement[Any]
"""A SQL expression; only the database knows the type of its values."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One expression of an order.

    Attributes:
        element: the column.
        sortable: turns the column, or a value of it, into an expression that the database sorts and compares
            consistently, and that is never NULL.
        type: the type of a bound value of the column; None where the database accepts what it sent.
        integer: whether the values are integers that sort as they are. In CrateDB `a > 2147483647` overflows for an
            INTEGER `a` and is true for every row; `a >= 2147483648` is true for none.
    """

    element: Element
    sortable: Callable[[Element], Element]
    type: sa.types.TypeEngine[Any] | None = None
    integer: bool = False

    @property
    def sorted(self) -> Element:
        """The expression to sort by."""
        return self.sortable(self.element)

    def at_least(self, position: int) -> ColumnElement[bool]:
        """The condition for rows that are not before the last row by this expression."""
        return self.sorted >= self._bound(position)

    def beyond(self, position: int) -> ColumnElement[bool]:
        """The condition for rows after the last row by this expression."""
        if self.integer:
            return self.element >= sa.bindparam(f"next_{position}", type_=sa.BigInteger())
        return self.sorted > self._bound(position)

    def _bound(self, position: int) -> Element:
        return self.sortable(sa.bindparam(f"last_{position}", type_=self.type))


def last_values(row: Sequence[Json]) -> dict[str, Json]:
    """The parameters of `rows_after`, from the last row's values of the order's columns."""
    last = {f"last_{position}": value for position, value in enumerate(row)}
    following = {f"next_{position}": value + 1 for position, value in enumerate(row) if isinstance(value, int)}
    return {**last, **following}


def rows_after(order: Sequence[OrderKey], position: int = 0) -> ColumnElement[bool]:
    """The condition for the rows after the last one read: `a >= ? AND (a > ? OR (b > ? ...))`.

    CrateDB has no row-value comparison. The outer `a >= ?` lets a database use the index of the first column.
    """
    this = order[position]
    if position == len(order) - 1:
        return this.beyond(position)
    return sa.and_(this.at_least(position), sa.or_(this.beyond(position), rows_after(order, position + 1)))
