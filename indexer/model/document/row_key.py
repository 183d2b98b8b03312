"""The key of a rejected row: the source's own values, found in what was sent, so that no other row pays for it."""

from dataclasses import replace
from math import isfinite

from indexer.model.document.bulk_response import DeadLetter
from indexer.model.document.document import Converters
from indexer.model.document.document_id import id_parts
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind

__all__ = ["RowKeys"]

_INTEGERS = frozenset({*INTEGER_KINDS, ColumnKind.TIMESTAMP, ColumnKind.DATE})
_FLOATS = frozenset({ColumnKind.REAL, ColumnKind.DOUBLE})


class RowKeys:
    """Finds the key of a dead letter's row: the values of the key's columns and of those of `_id`, by their names.

    What makes `_id` is read out of `_id`, which holds it whatever the overlay renames or leaves out. The other columns
    of the key, and those of an `_id` that is a hash, are looked for in the document; what it lacks too is absent.

    Attributes:
        names: the names of the columns that make `_id`, or of the hidden row id: by these a row is found again.
    """

    def __init__(self, selection: Selection, mapping: IndexMapping) -> None:
        self._selection = selection
        self._columns = selection.id_columns
        self._row_id = selection.row_id
        self.names = tuple(column.name for column in self._columns) or (str(self._row_id),)
        changes = Converters(mapping.fields)
        self._by_name = {column.name: column for column in selection.key_columns}
        self._fields = {name: self._field(column, changes) for name, column in self._by_name.items()}

    def keyed(self, letter: DeadLetter) -> DeadLetter:
        """The letter with its key."""
        known = {**self._from_document(letter.document), **self._from_id(letter.id)}
        order = (*self._by_name, *self.names)
        return replace(letter, key={name: known[name] for name in order if name in known})

    def values(self, key: JsonObject) -> tuple[Json, ...] | None:
        """What finds the row again, in the order of `names`; None where the key lacks a part of it."""
        return tuple(key[name] for name in self.names) if key.keys() >= set(self.names) else None

    def _from_id(self, id_: str) -> JsonObject:
        parts = id_parts(id_, len(self.names))
        if self._row_id is not None:
            return dict(zip(self.names, parts, strict=False))
        return {column.name: _value(column, part) for column, part in zip(self._columns, parts, strict=False)}

    def _from_document(self, document: Json) -> JsonObject:
        found: JsonObject = {}
        for name, path in self._fields.items():
            value = document if path else None
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                found[name] = _padded(self._by_name[name], value)
        return found

    def _field(self, column: Column, changes: Converters) -> tuple[str, ...]:
        """Where a document has the column; empty where it does not."""
        table = self._selection.table
        above = [table.column(".".join(column.path[:count])) for count in range(1, len(column.path) + 1)]
        names = [changes.name(one) for one in above if one is not None]
        if above[0] not in self._selection.columns or None in names:
            return ()
        return tuple(name for name in names if name is not None)


def _value(column: Column, text: str) -> Json:
    """The value that `_id` has the text of, as the source sent it."""
    kind = column.type.kind
    if kind is ColumnKind.BOOLEAN:
        return text == "true"
    if kind in _FLOATS:
        number = float(text)
        return number if isfinite(number) else text  # CrateDB sends NaN and the infinities as texts
    # A database other than CrateDB sends times as such; `_id` has them as ISO 8601.
    return int(text) if kind in _INTEGERS and text.lstrip("-").isdecimal() else _padded(column, text)


def _padded(column: Column, value: Json) -> Json:
    """CHAR as the source has it: `_id` and documents do without its spaces."""
    padded = column.type.kind is ColumnKind.CHAR and isinstance(value, str)
    return str(value).ljust(column.type.length or 0) if padded else value
