"""What must change in a value before it is indexed: padding, NaN, names and left-out sub-columns; most need nothing."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from math import isfinite
from typing import Final

from indexer.model.field import Field
from indexer.model.field_type import NUMBERS
from indexer.model.table import Column, ColumnKind

__all__ = ["Change", "Changes"]

Change = Callable[[object], object]
"""Takes a value that is not None, returns what is indexed; never alters the value it is given."""

_FLOATS: Final = frozenset({ColumnKind.REAL, ColumnKind.DOUBLE, ColumnKind.NUMERIC})

_NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""As CrateDB writes them in JSON."""


class Changes:
    """Compiles the changes that the fields of a mapping ask for.

    Attributes:
        nulled: how many values became null because they were NaN or infinite.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self.nulled = 0
        self._fields = {field.column.path: field for field in fields}

    def name(self, column: Column) -> str | None:
        """The column's own name in the index, without those of the objects around it; None where it is left out."""
        field = self._fields.get(column.path)
        if field is None:
            return column.path[-1]
        return None if field.type is None else field.own_name

    def steps(self, columns: Iterable[Column]) -> Iterator[tuple[str, Change]]:
        """The changes of these columns by the columns' names in the index; columns that need none are absent."""
        for column in columns:
            name, change = self.name(column), self._change(column)
            if name is not None and change is not None:
                yield name, change

    def _change(self, column: Column) -> Change | None:
        change = self._one(column)
        return _each(change) if change is not None and column.type.array else change

    def _one(self, column: Column) -> Change | None:
        kind = column.type.kind
        if kind is ColumnKind.OBJECT:
            return self._object(column)
        if kind is ColumnKind.CHAR:
            return _unpadded
        field = self._fields.get(column.path)
        return self._finite if kind in _FLOATS and field is not None and field.type in NUMBERS else None

    def _object(self, column: Column) -> Change | None:
        names = {child.path[-1]: self.name(child) for child in column.children}
        changes = {child.path[-1]: change for child in column.children if (change := self._change(child))}
        left_out = frozenset(key for key, name in names.items() if name is None)
        renamed = {key: name for key, name in names.items() if name is not None and name != key}
        if not (changes or left_out or renamed):
            return None

        def rebuilt(value: object) -> object:
            if not isinstance(value, dict):
                return value
            return {
                renamed.get(key, key): changes[key](inner) if key in changes and inner is not None else inner
                for key, inner in value.items()
                if key not in left_out
            }

        return rebuilt

    def _finite(self, value: object) -> object:
        if type(value) is float:
            finite = isfinite(value)
        elif isinstance(value, Decimal):
            finite = value.is_finite()
        else:
            finite = value not in _NOT_FINITE
        if finite:
            return value
        self.nulled += 1
        return None


def _each(change: Change) -> Change:
    """The change applied to every element of an array, at any depth."""

    def each(value: object) -> object:
        if isinstance(value, list):
            return [None if element is None else each(element) for element in value]
        return change(value)

    return each


def _unpadded(value: object) -> object:
    return value.rstrip(" ") if isinstance(value, str) else value
