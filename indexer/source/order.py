"""A total order over rows: what a page is sorted by, and the condition for the rows after one that was read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement

__all__ = ["Element", "OrderKey", "after", "parameter"]

Element: TypeAlias = ColumnElement[Any]
"""A piece of SQL; what type its values have is known to the database alone."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One part of an order.

    Attributes:
        element: the column.
        sortable: turns the column, or a value of it, into what the database can sort and compare without
            contradiction, and which is never NULL.
        type: how the database takes a value of the column, or None where it takes what it sent.
    """

    element: Element
    sortable: Callable[[Element], Element]
    type: sa.types.TypeEngine[Any] | None = None

    @property
    def sorted(self) -> Element:
        """What to order by."""
        return self.sortable(self.element)

    def bound(self, name: str) -> Element:
        """The parameter of this name, made to compare with `sorted`."""
        return self.sortable(sa.bindparam(name, type_=self.type))


def parameter(place: int) -> str:
    """The name of the parameter that holds the last row's value of the order's part at this place."""
    return f"after_{place}"


def after(order: Sequence[OrderKey], place: int = 0) -> ColumnElement[bool]:
    """The condition for the rows after the one whose values are the parameters: `a >= ? AND (a > ? OR (b > ? ...))`.

    CrateDB has no row-value comparison; the outer `a >= ?` lets it use the index of the first column.
    """
    this = order[place]
    bound = this.bound(parameter(place))
    beyond = this.sorted > bound
    if place == len(order) - 1:
        return beyond
    return sa.and_(this.sorted >= bound, sa.or_(beyond, after(order, place + 1)))
