"""The queries for one selection, composed with SQLAlchemy Core: one select a shape of window, its values parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from indexer.model.json import Json
from indexer.model.paging.window import (
    Keyset,
    Offset,
    PageRequest,
    Prefix,
    PrefixCount,
    Prefixes,
    Range,
    TieGroup,
    Window,
)
from indexer.model.table.key import KeyOrder
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind, Table
from indexer.source.row_order import Element, OrderKey, last_values, rows_after

__all__ = ["AT_ONCE", "LOWEST", "Grammar", "Query", "Rows", "Shape", "Statements"]

Rows: TypeAlias = Select[*tuple[Any, ...]]
"""A select of any columns."""

LOWEST: Final = {
    ColumnKind.SMALLINT: -(2**15),
    ColumnKind.INTEGER: -(2**31),
    ColumnKind.BIGINT: -(2**63),
    ColumnKind.TIMESTAMP: -(2**63),
}
"""The types' minima: what lies below overflows, and CrateDB then returns every row."""


AT_ONCE: Final = 100
"""Rows that one query asks for by what identifies them."""


class Shape(Enum):
    """The queries there are. Two of the same shape differ in their parameters only."""

    RANGE = auto()
    RANGE_FROM_LOWEST = auto()
    RANGE_ORDERED = auto()
    RANGE_FROM_LOWEST_ORDERED = auto()
    PREFIXES = auto()
    VALUE = auto()
    VALUE_AFTER = auto()
    NULLS = auto()
    NULLS_AFTER = auto()
    KEYSET = auto()
    KEYSET_AFTER = auto()
    OFFSET = auto()
    ROWS = auto()
    """The rows of `AT_ONCE` identities."""
    PREFIX_COUNT = auto()
    BOUNDS = auto()
    BINS = auto()
    CONDITION = auto()
    """No rows: whether the user's condition parses alone. One that closes the parenthesis around it does not."""


_UNORDERED: Final = frozenset({Shape.RANGE, Shape.RANGE_FROM_LOWEST, Shape.PREFIXES})
_ORDERED: Final = {Shape.RANGE: Shape.RANGE_ORDERED, Shape.RANGE_FROM_LOWEST: Shape.RANGE_FROM_LOWEST_ORDERED}
_GROUPS: Final = frozenset({Shape.VALUE, Shape.VALUE_AFTER, Shape.NULLS, Shape.NULLS_AFTER})
_AFTER: Final = frozenset({Shape.VALUE_AFTER, Shape.NULLS_AFTER, Shape.KEYSET_AFTER})


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    Attributes:
        shape: which select.
        values: its parameters.
    """

    shape: Shape
    values: Mapping[str, Json] = field(default_factory=dict)


class Grammar(Protocol):
    """What one kind of database has of its own."""

    def table(self, table: Table) -> sa.FromClause:
        """The table."""

    def element(self, column: Column) -> Element:
        """The column or sub-column."""

    def selected(self, column: Column) -> Element:
        """The column as it is read, for some must be read as another type."""

    def row_id(self, name: str) -> OrderKey:
        """The hidden row id."""

    def order_key(self, column: Column) -> OrderKey:
        """How to sort by the column."""

    def prefixes(self, key_column: Element) -> ColumnElement[bool]:
        """The text values that match one of the parameter `likes`, or are one of the parameter `exacts`."""

    def longer_prefix(self, key_column: Element) -> Element:
        """The first UTF-16 units of a text, as many as the parameter `units`, and one more rather than half a pair."""


class Statements:
    """The queries for one selection."""

    def __init__(self, selection: Selection, grammar: Grammar) -> None:
        self._selection = selection
        self._grammar = grammar
        self._table = grammar.table(selection.table)
        self._key_column = grammar.element(selection.key.column)
        self._tiebreakers = self._tie_keys()
        # No NULL is compared here: a keyset has none, and OFFSET only sorts.
        key_column = replace(selection.key.column, nullable=False)
        self._whole_order = (grammar.order_key(key_column), *self._tiebreakers)

    def _tie_keys(self) -> tuple[OrderKey, ...]:
        columns = (*self._selection.columns, *self._selection.hidden)
        places = self._selection.tiebreaker_places
        keys = [self._grammar.order_key(columns[place]) for place in places if place < len(columns)]
        row_id = self._selection.row_id
        if row_id is not None and len(columns) in places:
            keys.append(self._grammar.row_id(row_id))
        return tuple(keys)

    def page(self, ask: PageRequest) -> Query:
        """The query for a page."""
        shape, values = self._asked(ask.window)
        return Query(_ORDERED.get(shape, shape) if ask.ordered else shape, {**values, "limit": ask.limit})

    def _asked(self, window: Window) -> tuple[Shape, dict[str, Json]]:
        match window:
            case Range(lo, hi):
                if lo < LOWEST[self._selection.key.column.type.kind]:
                    return Shape.RANGE_FROM_LOWEST, {"hi": hi}
                return Shape.RANGE, {"lo": lo, "hi": hi}
            case Prefixes(prefixes):
                return Shape.PREFIXES, _patterns(prefixes)
            case TieGroup():
                return _group(window)
            case Keyset(behind):
                return Shape.KEYSET_AFTER if behind else Shape.KEYSET, last_values(behind or ())
            case Offset(offset):
                return Shape.OFFSET, {"offset": offset}

    def rows(self, identities: Sequence[Sequence[Json]]) -> Query:
        """The query for rows by what makes their `_id`, at most `AT_ONCE`; fewer are filled up with the last."""
        full = [*identities, *[identities[-1]] * (AT_ONCE - len(identities))]
        values = {_identity(row, place): value for row, values in enumerate(full) for place, value in enumerate(values)}
        return Query(Shape.ROWS, values)

    def count_prefixes(self, prefix_count: PrefixCount) -> Query:
        """The query for the longer prefixes below a prefix, with their rows."""
        return Query(
            Shape.PREFIX_COUNT,
            {"prefix": _like(prefix_count.prefix), "units": prefix_count.units, "more": prefix_count.units + 1},
        )

    def select(self, shape: Shape) -> Rows:
        """The select of a shape; its parameters are those of the `Query` objects of this shape."""
        match shape:
            case Shape.ROWS:
                return self._rows()
            case Shape.PREFIX_COUNT:
                return self._census()
            case Shape.BOUNDS:
                return self._bounds()
            case Shape.BINS:
                return self._bins()
            case Shape.CONDITION:
                return self._condition()
            case _:
                return self._page(shape)

    def _page(self, shape: Shape) -> Rows:
        keys = self._tiebreakers if shape in _GROUPS else self._whole_order
        page = self._filtered(sa.select(*self._row())).order_by(*self._order(shape, keys)).limit(_integer("limit"))
        if shape is Shape.OFFSET:
            return page.offset(_integer("offset"))
        page = page.where(self._window(shape))
        return page.where(rows_after(keys)) if shape in _AFTER else page

    def _order(self, shape: Shape, keys: Sequence[OrderKey]) -> list[Element]:
        """Not at all where a page is used only if it is whole; by the key column alone in a range, for more costs more."""
        if shape in _UNORDERED:
            return []
        return [self._key_column] if shape in _ORDERED.values() else [key.sorted for key in keys]

    def _window(self, shape: Shape) -> ColumnElement[bool]:
        key_column = self._key_column
        if shape is Shape.PREFIXES:
            return self._grammar.prefixes(key_column)
        lo, hi, value = (sa.bindparam(name, type_=key_column.type) for name in ("lo", "hi", "value"))
        conditions = {
            Shape.RANGE: sa.and_(key_column > lo, key_column <= hi),
            Shape.RANGE_FROM_LOWEST: key_column <= hi,
            Shape.RANGE_ORDERED: sa.and_(key_column > lo, key_column <= hi),
            Shape.RANGE_FROM_LOWEST_ORDERED: key_column <= hi,
            Shape.VALUE: key_column == value,
            Shape.VALUE_AFTER: key_column == value,
            Shape.NULLS: key_column.is_(None),
            Shape.NULLS_AFTER: key_column.is_(None),
            Shape.KEYSET: key_column.is_not(None),
            Shape.KEYSET_AFTER: key_column.is_not(None),
        }
        return conditions[shape]

    def _row(self) -> list[Element]:
        columns = (*self._selection.columns, *self._selection.hidden)
        row = [self._grammar.selected(column) for column in columns]
        row_id = self._selection.row_id
        return [*row, self._grammar.row_id(row_id).element] if row_id else row

    def _filtered(self, select: Rows) -> Rows:
        select = select.select_from(self._table)
        if self._selection.where is None:
            return select
        # On a line of its own, so that a comment at its end does not take the parenthesis along.
        return select.where(sa.literal_column(f"({self._selection.where}\n)"))

    def _rows(self) -> Rows:
        row_id = self._selection.row_id
        elements = [self._grammar.element(column) for column in self._selection.id_columns]
        elements += [] if row_id is None else [self._grammar.row_id(row_id).element]
        return self._filtered(sa.select(*self._row())).where(sa.or_(*(_is(elements, row) for row in range(AT_ONCE))))

    def _census(self) -> Rows:
        longer = self._grammar.longer_prefix(self._key_column).label("longer")
        return (
            self._filtered(sa.select(longer, sa.func.count()))
            .where(self._key_column.like(_text("prefix")))
            .group_by(longer)
        )

    def _bounds(self) -> Rows:
        key_column = self._key_column
        counts = [sa.func.count(), sa.func.count(key_column)]
        ends = (
            [sa.func.min(key_column), sa.func.max(key_column)] if self._selection.key.order is KeyOrder.NUMBER else []
        )
        return self._filtered(sa.select(*counts, *ends))

    def _bins(self) -> Rows:
        key_column = self._key_column
        share = (key_column // _integer("width")).label("share")
        bars = sa.select(share, sa.func.min(key_column), sa.func.max(key_column), sa.func.count())
        return self._filtered(bars).where(key_column.is_not(None)).group_by(share)

    def _condition(self) -> Rows:
        """Without parameters of ours, whose value one in the condition could take."""
        bare: Element = sa.literal_column(f"{self._selection.where}\n")
        return sa.select(sa.literal_column("1")).select_from(self._table).where(bare).limit(sa.literal_column("0"))


def _identity(row: int, place: int) -> str:
    return f"id_{row}_{place}"


def _is(elements: Sequence[Element], row: int) -> ColumnElement[bool]:
    return sa.and_(
        *(element == sa.bindparam(_identity(row, place), type_=element.type) for place, element in enumerate(elements))
    )


def _integer(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger())


def _text(name: str) -> sa.BindParameter[str]:
    return sa.bindparam(name, type_=sa.Text())


def _group(window: TieGroup) -> tuple[Shape, dict[str, Json]]:
    behind = last_values(window.after or ())
    if window.value is None:
        return Shape.NULLS_AFTER if behind else Shape.NULLS, behind
    return Shape.VALUE_AFTER if behind else Shape.VALUE, {"value": window.value, **behind}


def _patterns(prefixes: tuple[Prefix, ...]) -> dict[str, Json]:
    return {
        "likes": [_like(prefix.text) for prefix in prefixes if not prefix.exact],
        "exacts": [prefix.text for prefix in prefixes if prefix.exact],
    }


def _like(prefix: str) -> str:
    """The LIKE pattern of the texts that begin with a prefix."""
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"
