"""The key of a dead letter's row, recovered from the document that was sent, so that accepted rows cost nothing."""

from dataclasses import replace
from math import isfinite

from indexer.model.document.dead_letter import DeadLetter
from indexer.model.document.document import ValueConverters
from indexer.model.document.document_id import id_parts
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection
from indexer.model.table.table import INTEGER_KINDS, Column, ColumnKind

__all__ = ["RowKeys"]

_INTEGERS = frozenset({*INTEGER_KINDS, ColumnKind.TIMESTAMP, ColumnKind.DATE})
_FLOATS = frozenset({ColumnKind.REAL, ColumnKind.DOUBLE})


class RowKeys:
    """Recovers the key of a dead letter's row: the values of the key columns and of the `_id` columns, by name.

    `_id` columns are parsed out of `_id`, which has their values whatever the overlay renames or leaves out. The other
    key columns, and all of them where `_id` is a hash, are looked up in the document. A value in neither is absent.

    Attributes:
        names: the columns that make `_id`, or the hidden row id: a replay selects the row by these.
    """

    def __init__(self, selection: Selection, mapping: IndexMapping) -> None:
        self._selection = selection
        self._id_columns = selection.id_columns
        self._row_id = selection.row_id
        self.names = tuple(column.name for column in self._id_columns) or (str(self._row_id),)
        self._columns = {column.name: column for column in selection.key_columns}
        converters = ValueConverters(mapping.fields)
        self._paths = {name: self._path(column, converters) for name, column in self._columns.items()}

    def with_key(self, letter: DeadLetter) -> DeadLetter:
        """The letter with its row's key."""
        values = {**self._from_document(letter.document), **self._from_id(letter.id)}
        order = (*self._columns, *self.names)
        return replace(letter, key={name: values[name] for name in order if name in values})

    def values(self, key: JsonObject) -> tuple[Json, ...] | None:
        """The values to select the row by, in the order of `names`; None where the key lacks one of them."""
        return tuple(key[name] for name in self.names) if key.keys() >= set(self.names) else None

    def _from_id(self, id_: str) -> JsonObject:
        parts = id_parts(id_, len(self.names))
        if self._row_id is not None:
            return dict(zip(self.names, parts, strict=False))
        return {column.name: _parse_value(column, part) for column, part in zip(self._id_columns, parts, strict=False)}

    def _from_document(self, document: Json) -> JsonObject:
        values: JsonObject = {}
        for name, path in self._paths.items():
            value = document if path else None
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                values[name] = _with_padding(self._columns[name], value)
        return values

    def _path(self, column: Column, converters: ValueConverters) -> tuple[str, ...]:
        """Where a document has the column's value; empty where it does not have it."""
        table = self._selection.table
        lineage = [table.column(".".join(column.path[:count])) for count in range(1, len(column.path) + 1)]
        names = [converters.field_name(ancestor) for ancestor in lineage if ancestor is not None]
        if lineage[0] not in self._selection.columns or None in names:
            return ()
        return tuple(name for name in names if name is not None)


def _parse_value(column: Column, text: str) -> Json:
    """The value, as the source returns it, whose text is part of an `_id`."""
    kind = column.type.kind
    if kind is ColumnKind.BOOLEAN:
        return text == "true"
    if kind in _FLOATS:
        number = float(text)
        return number if isfinite(number) else text  # CrateDB returns NaN and the infinities as text
    # Databases other than CrateDB return dates and times, which are ISO 8601 text in `_id`.
    return int(text) if kind in _INTEGERS and text.lstrip("-").isdecimal() else _with_padding(column, text)


def _with_padding(column: Column, value: Json) -> Json:
    """A CHAR value with the trailing spaces that the source has, and `_id` and documents do not."""
    is_padded = column.type.kind is ColumnKind.CHAR and isinstance(value, str)
    return str(value).ljust(column.type.length or 0) if is_padded else value
