"""Documents: rows converted to JSON, as the lines of a `_bulk` request."""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import compress
from math import isfinite
from typing import Final

import orjson

from indexer.errors import SourceError
from indexer.model.document.document_id import id_maker
from indexer.model.json import Json, Row
from indexer.model.mapping.field import Field
from indexer.model.mapping.field_type import NUMBERS
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind

__all__ = ["Converter", "DocumentBuilder", "ValueConverters"]

Converter = Callable[[object], object]
"""Takes a value that is not None and returns what is indexed. The value itself is never changed in place."""

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FLOATS: Final = frozenset({ColumnKind.REAL, ColumnKind.DOUBLE, ColumnKind.NUMERIC})
_NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""As CrateDB writes them in JSON."""


class DocumentBuilder:
    """Builds the documents of a job's rows. Which columns need a conversion is decided once, not per row.

    Each reader has a builder of its own, because `nulled` is counted without a lock.

    Keys of dynamic objects that Elasticsearch refuses (empty or blank names) pass unchanged: the document becomes a
    dead letter that names the key.
    """

    def __init__(self, selection: Selection, mapping: IndexMapping) -> None:
        self._converters = ValueConverters(mapping.fields)
        names = [self._converters.field_name(column) for column in selection.columns]
        self._names = [name for name in names if name is not None]
        self._included = None if len(self._names) == len(names) else [name is not None for name in names]
        self._conversions = list(self._converters.by_field_name(selection.columns))
        self._id = id_maker(selection)

    @property
    def nulled(self) -> int:
        """How many values were replaced by null so far, because they were NaN or infinite."""
        return self._converters.nulled

    def lines(self, rows: Sequence[Row]) -> list[bytes]:
        r"""Build `b'{"index":{"_id":"…"}}\n{…}\n'` from each row, ready for `_bulk`.

        Raises:
            SourceError: for a row with NULL in a column of its `_id`, or a value that JSON cannot represent.
        """
        try:
            return [self._line(row) for row in rows]
        except orjson.JSONEncodeError as error:
            raise SourceError(self._encoding_problem(rows, error)) from error

    def id(self, row: Row) -> str:
        """The row's `_id`."""
        return self._id(row)

    def _line(self, row: Row) -> bytes:
        # zip stops after the names: the values behind them, which only the key or _id needs, are not indexed.
        values = row if self._included is None else compress(row, self._included)
        document: dict[str, object] = dict(zip(self._names, values, strict=False))
        for name, convert in self._conversions:
            value = document[name]
            if value is not None:
                document[name] = convert(value)
        return b'{"index":{"_id":%b}}\n%b' % (
            orjson.dumps(self._id(row)),
            orjson.dumps(document, _json_value, _OPTIONS),
        )

    def _encoding_problem(self, rows: Iterable[Row], error: Exception) -> str:
        for row in rows:
            try:
                self._line(row)
            except orjson.JSONEncodeError:
                return (
                    f"The row with _id {self._id(row)!r} holds a value that JSON cannot represent ({error}):"
                    " correct it, or leave its column out in the mapping file."
                )
        return str(error)  # pragma: no cover - one of the same rows has just failed


def _json_value(value: object) -> Json:
    """A JSON value for a Python type that orjson does not know; only databases other than CrateDB return these."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MILLISECOND
    if isinstance(value, date):
        return (datetime(value.year, value.month, value.day, tzinfo=UTC) - _EPOCH) // _MILLISECOND
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    return str(value)


class ValueConverters:
    """Composes the value conversions that a mapping's fields need, and knows each column's name in the index.

    Attributes:
        nulled: how many values were replaced by null, because they were NaN or infinite.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self.nulled = 0
        self._fields = {field.column.path: field for field in fields}

    def field_name(self, column: Column) -> str | None:
        """The column's name in the index, without the names of the objects around it; None where it is left out."""
        field = self._fields.get(column.path)
        if field is None:
            return column.path[-1]
        return None if field.type is None else field.own_name

    def by_field_name(self, columns: Iterable[Column]) -> Iterator[tuple[str, Converter]]:
        """The converters of these columns by field name; a column that needs no conversion has none."""
        for column in columns:
            name, convert = self.field_name(column), self._converter(column)
            if name is not None and convert is not None:
                yield name, convert

    def _converter(self, column: Column) -> Converter | None:
        convert = self._element_converter(column)
        return _for_each(convert) if convert is not None and column.type.array else convert

    def _element_converter(self, column: Column) -> Converter | None:
        kind = column.type.kind
        if kind is ColumnKind.OBJECT:
            return self._object_converter(column)
        if kind is ColumnKind.CHAR:
            return _without_padding
        field = self._fields.get(column.path)
        return self._finite_or_null if kind in _FLOATS and field is not None and field.type in NUMBERS else None

    def _object_converter(self, column: Column) -> Converter | None:
        names = {child.path[-1]: self.field_name(child) for child in column.children}
        converters = {child.path[-1]: convert for child in column.children if (convert := self._converter(child))}
        left_out = frozenset(key for key, name in names.items() if name is None)
        renamed = {key: name for key, name in names.items() if name is not None and name != key}
        if not (converters or left_out or renamed):
            return None

        def convert_object(value: object) -> object:
            if not isinstance(value, dict):
                return value
            return {
                renamed.get(key, key): converters[key](inner) if key in converters and inner is not None else inner
                for key, inner in value.items()
                if key not in left_out
            }

        return convert_object

    def _finite_or_null(self, value: object) -> object:
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


def _for_each(convert: Converter) -> Converter:
    """The conversion applied to every element of an array, at any depth."""

    def convert_array(value: object) -> object:
        if isinstance(value, list):
            return [None if element is None else convert_array(element) for element in value]
        return convert(value)

    return convert_array


def _without_padding(value: object) -> object:
    return value.rstrip(" ") if isinstance(value, str) else value
