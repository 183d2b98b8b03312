"""A total order over rows: what a page is sorted by, and the condition for the rows after one that was read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from indexer.model.json import Json

__all__ = ["Element", "OrderKey", "last_values", "rows_after"]

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
        whole: whether the values are whole numbers that sort as they are. In CrateDB `a > 2147483647` overflows where
            `a` is an INTEGER, and holds for every row; `a >= 2147483648` holds for none.
    """

    element: Element
    sortable: Callable[[Element], Element]
    type: sa.types.TypeEngine[Any] | None = None
    whole: bool = False

    @property
    def sorted(self) -> Element:
        """What to order by."""
        return self.sortable(self.element)

    def at_least(self, place: int) -> ColumnElement[bool]:
        """The condition for rows that are not before the last row in this part of the order."""
        return self.sorted >= self._bound(place)

    def beyond(self, place: int) -> ColumnElement[bool]:
        """The condition for rows after the last row in this part of the order."""
        if self.whole:
            return self.element >= sa.bindparam(f"next_{place}", type_=sa.BigInteger())
        return self.sorted > self._bound(place)

    def _bound(self, place: int) -> Element:
        return self.sortable(sa.bindparam(f"last_{place}", type_=self.type))


def last_values(row: Sequence[Json]) -> dict[str, Json]:
    """The parameters of `rows_after`, from the last row's values of the order."""
    last = {f"last_{place}": value for place, value in enumerate(row)}
    following = {f"next_{place}": value + 1 for place, value in enumerate(row) if isinstance(value, int)}
    return {**last, **following}


def rows_after(order: Sequence[OrderKey], place: int = 0) -> ColumnElement[bool]:
    """The condition for the rows after the last one that was read: `a >= ? AND (a > ? OR (b > ? ...))`.

    CrateDB has no row-value comparison; the outer `a >= ?` lets a database use the index of the first column.
    """
    this = order[place]
    if place == len(order) - 1:
        return this.beyond(place)
    return sa.and_(this.at_least(place), sa.or_(this.beyond(place), rows_after(order, place + 1)))
