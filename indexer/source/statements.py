"""The queries for one selection, composed with SQLAlchemy Core: one select a shape, with values as parameters."""

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

__all__ = ["LOWEST", "MAX_IDENTITIES", "Grammar", "Query", "Rows", "Shape", "Statements"]

Rows: TypeAlias = Select[*tuple[Any, ...]]
"""A select of any columns."""

LOWEST: Final = {
    ColumnKind.SMALLINT: -(2**15),
    ColumnKind.INTEGER: -(2**31),
    ColumnKind.BIGINT: -(2**63),
    ColumnKind.TIMESTAMP: -(2**63),
}
"""The smallest value of each type. A smaller bound overflows, and CrateDB then returns every row."""

MAX_IDENTITIES: Final = 100
"""Rows that one query reads by identity."""


class Shape(Enum):
    """The kinds of queries. Two queries of one shape differ only in their parameters."""

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
    """Rows by identity, `MAX_IDENTITIES` of them."""
    PREFIX_COUNT = auto()
    BOUNDS = auto()
    BINS = auto()
    CONDITION = auto()
    """Returns no rows, but fails where the user's condition alone is invalid, such as one with an extra parenthesis."""


_UNORDERED: Final = frozenset({Shape.RANGE, Shape.RANGE_FROM_LOWEST, Shape.PREFIXES})
_ORDERED: Final = {Shape.RANGE: Shape.RANGE_ORDERED, Shape.RANGE_FROM_LOWEST: Shape.RANGE_FROM_LOWEST_ORDERED}
_GROUPS: Final = frozenset({Shape.VALUE, Shape.VALUE_AFTER, Shape.NULLS, Shape.NULLS_AFTER})
_AFTER: Final = frozenset({Shape.VALUE_AFTER, Shape.NULLS_AFTER, Shape.KEYSET_AFTER})


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    Attributes:
        shape: the select.
        values: its parameters.
    """

    shape: Shape
    values: Mapping[str, Json] = field(default_factory=dict)


class Grammar(Protocol):
    """The SQL of one kind of database."""

    def table(self, table: Table) -> sa.FromClause:
        """The table."""

    def element(self, column: Column) -> Element:
        """The column or sub-column."""

    def selected(self, column: Column) -> Element:
        """The column as it is selected: some types are read as another type."""

    def row_id(self, name: str) -> OrderKey:
        """The hidden row id."""

    def order_key(self, column: Column) -> OrderKey:
        """How to sort by the column."""

    def prefixes(self, key_column: Element) -> ColumnElement[bool]:
        """The keys that match one of the patterns in `likes`, or equal one of the values in `exacts`."""

    def longer_prefix(self, key_column: Element) -> Element:
        """The first `units` UTF-16 units of a text, or `more` where that would split a surrogate pair."""


class Statements:
    """The queries for one selection."""

    def __init__(self, selection: Selection, grammar: Grammar) -> None:
        self._selection = selection
        self._grammar = grammar
        self._table = grammar.table(selection.table)
        self._key_column = grammar.element(selection.key.column)
        self._tiebreakers = self._tiebreaker_keys()
        # A keyset excludes NULL, and OFFSET only sorts: no NULL is compared.
        key_column = replace(selection.key.column, nullable=False)
        self._whole_order = (grammar.order_key(key_column), *self._tiebreakers)

    def _tiebreaker_keys(self) -> tuple[OrderKey, ...]:
        columns = (*self._selection.columns, *self._selection.hidden)
        positions = self._selection.tiebreaker_positions
        keys = [self._grammar.order_key(columns[position]) for position in positions if position < len(columns)]
        row_id = self._selection.row_id
        if row_id is not None and len(columns) in positions:
            keys.append(self._grammar.row_id(row_id))
        return tuple(keys)

    def page(self, request: PageRequest) -> Query:
        """The query for a page."""
        shape, values = self._window_query(request.window)
        return Query(_ORDERED.get(shape, shape) if request.ordered else shape, {**values, "limit": request.limit})

    def _window_query(self, window: Window) -> tuple[Shape, dict[str, Json]]:
        match window:
            case Range(lo, hi):
                if lo < LOWEST[self._selection.key.column.type.kind]:
                    return Shape.RANGE_FROM_LOWEST, {"hi": hi}
                return Shape.RANGE, {"lo": lo, "hi": hi}
            case Prefixes(prefixes):
                return Shape.PREFIXES, _patterns(prefixes)
            case TieGroup():
                return _tie_group_query(window)
            case Keyset(after):
                return Shape.KEYSET_AFTER if after else Shape.KEYSET, last_values(after or ())
            case Offset(offset):
                return Shape.OFFSET, {"offset": offset}

    def rows(self, identities: Sequence[Sequence[Json]]) -> Query:
        """The query for at most `MAX_IDENTITIES` rows by identity; the last identity fills unused parameters."""
        padded = [*identities, *[identities[-1]] * (MAX_IDENTITIES - len(identities))]
        values = {
            _identity(row, position): value
            for row, values in enumerate(padded)
            for position, value in enumerate(values)
        }
        return Query(Shape.ROWS, values)

    def count_prefixes(self, prefix_count: PrefixCount) -> Query:
        """The query for the number of rows of each longer prefix."""
        return Query(
            Shape.PREFIX_COUNT,
            {"prefix": _like(prefix_count.prefix), "units": prefix_count.units, "more": prefix_count.units + 1},
        )

    def select(self, shape: Shape) -> Rows:
        """The select of a shape; a `Query` of that shape has its parameters."""
        match shape:
            case Shape.ROWS:
                return self._rows()
            case Shape.PREFIX_COUNT:
                return self._prefix_count()
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
        if shape in _UNORDERED:  # such a page is used only where it is complete
            return []
        if shape in _ORDERED.values():  # a range needs no tiebreakers, and sorting by more columns costs more
            return [self._key_column]
        return [key.sorted for key in keys]

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
        # The line break keeps a comment at its end from swallowing the parenthesis.
        return select.where(sa.literal_column(f"({self._selection.where}\n)"))

    def _rows(self) -> Rows:
        row_id = self._selection.row_id
        elements = [self._grammar.element(column) for column in self._selection.id_columns]
        elements += [] if row_id is None else [self._grammar.row_id(row_id).element]
        return self._filtered(sa.select(*self._row())).where(
            sa.or_(*(_identity_equals(elements, row) for row in range(MAX_IDENTITIES)))
        )

    def _prefix_count(self) -> Rows:
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
        number = (key_column // _integer("width")).label("number")
        bins = sa.select(number, sa.func.min(key_column), sa.func.max(key_column), sa.func.count())
        return self._filtered(bins).where(key_column.is_not(None)).group_by(number)

    def _condition(self) -> Rows:
        # Without parameters: a parameter in the condition could take the value of one.
        condition: Element = sa.literal_column(f"{self._selection.where}\n")
        return sa.select(sa.literal_column("1")).select_from(self._table).where(condition).limit(sa.literal_column("0"))


def _identity(row: int, position: int) -> str:
    return f"id_{row}_{position}"


def _identity_equals(elements: Sequence[Element], row: int) -> ColumnElement[bool]:
    return sa.and_(
        *(
            element == sa.bindparam(_identity(row, position), type_=element.type)
            for position, element in enumerate(elements)
        )
    )


def _integer(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger())


def _text(name: str) -> sa.BindParameter[str]:
    return sa.bindparam(name, type_=sa.Text())


def _tie_group_query(window: TieGroup) -> tuple[Shape, dict[str, Json]]:
    last = last_values(window.after or ())
    if window.value is None:
        return Shape.NULLS_AFTER if last else Shape.NULLS, last
    return Shape.VALUE_AFTER if last else Shape.VALUE, {"value": window.value, **last}


def _patterns(prefixes: tuple[Prefix, ...]) -> dict[str, Json]:
    return {
        "likes": [_like(prefix.text) for prefix in prefixes if not prefix.exact],
        "exacts": [prefix.text for prefix in prefixes if prefix.exact],
    }


def _like(prefix: str) -> str:
    """The LIKE pattern for texts that begin with a prefix."""
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"
