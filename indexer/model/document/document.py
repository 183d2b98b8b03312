"""DocumentBuilder: rows as lines of a `_bulk` request."""

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
from indexer.model.json import Json, JsonObject, Row
from indexer.model.mapping.field import Field
from indexer.model.mapping.field_type import NUMBERS
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind

__all__ = ["Converter", "Converters", "DocumentBuilder", "parse_line"]

Converter = Callable[[object], object]
"""Takes a value that is not None, returns what is indexed; never alters the value it is given."""

_FLOATS: Final = frozenset({ColumnKind.REAL, ColumnKind.DOUBLE, ColumnKind.NUMERIC})

_NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""As CrateDB writes them in JSON."""


class Converters:
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

    def steps(self, columns: Iterable[Column]) -> Iterator[tuple[str, Converter]]:
        """The changes of these columns by the columns' names in the index; columns that need none are absent."""
        for column in columns:
            name, change = self.name(column), self._change(column)
            if name is not None and change is not None:
                yield name, change

    def _change(self, column: Column) -> Converter | None:
        change = self._one(column)
        return _each(change) if change is not None and column.type.array else change

    def _one(self, column: Column) -> Converter | None:
        kind = column.type.kind
        if kind is ColumnKind.OBJECT:
            return self._object(column)
        if kind is ColumnKind.CHAR:
            return _unpadded
        field = self._fields.get(column.path)
        return self._finite if kind in _FLOATS and field is not None and field.type in NUMBERS else None

    def _object(self, column: Column) -> Converter | None:
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


def _each(change: Converter) -> Converter:
    """The change applied to every element of an array, at any depth."""

    def each(value: object) -> object:
        if isinstance(value, list):
            return [None if element is None else each(element) for element in value]
        return change(value)

    return each


def _unpadded(value: object) -> object:
    return value.rstrip(" ") if isinstance(value, str) else value


_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class DocumentBuilder:
    """Makes the documents of a job's rows, by steps that are compiled once.

    Each reader has its own: `nulled` is counted without a lock.

    What Elasticsearch refuses in keys of dynamic objects (empty or blank names) is left as it is: the document becomes
    a dead letter that says so.
    """

    def __init__(self, selection: Selection, mapping: IndexMapping) -> None:
        changes = Converters(mapping.fields)
        kept = [changes.name(column) for column in selection.columns]
        self._names = [name for name in kept if name is not None]
        self._kept = None if len(self._names) == len(kept) else [name is not None for name in kept]
        self._steps: list[tuple[str, Converter]] = list(changes.steps(selection.columns))
        self._changes = changes
        self._id = id_maker(selection)

    @property
    def nulled(self) -> int:
        """How many values became null so far because they were NaN or infinite."""
        return self._changes.nulled

    def lines(self, rows: Sequence[Row]) -> list[bytes]:
        r"""Make `b'{"index":{"_id":"…"}}\n{…}\n'` of each row, ready for `_bulk`.

        Raises:
            SourceError: for a row without a value in a column of its `_id`, or with a value that JSON cannot hold.
        """
        try:
            return [self._line(row) for row in rows]
        except orjson.JSONEncodeError as error:
            raise SourceError(self._culprit(rows, error)) from error

    def id(self, row: Row) -> str:
        """The row's `_id`."""
        return self._id(row)

    def _line(self, row: Row) -> bytes:
        # zip ends with the names: what a row holds beyond them, for the key and for _id, falls away.
        values = row if self._kept is None else compress(row, self._kept)
        document: dict[str, object] = dict(zip(self._names, values, strict=False))
        for name, change in self._steps:
            value = document[name]
            if value is not None:
                document[name] = change(value)
        return b'{"index":{"_id":%b}}\n%b' % (
            orjson.dumps(self._id(row)),
            orjson.dumps(document, _plain, _OPTIONS),
        )

    def _culprit(self, rows: Iterable[Row], error: Exception) -> str:
        for row in rows:
            try:
                self._line(row)
            except orjson.JSONEncodeError:
                return (
                    f"The row with _id {self._id(row)!r} holds a value that JSON cannot ({error}):"
                    " correct it, or leave its column out in the mapping file."
                )
        return str(error)  # pragma: no cover - the same rows failed a moment ago


def parse_line(line: bytes) -> tuple[str, JsonObject]:
    """Split a line of `DocumentBuilder.lines` into its `_id` and its document."""
    action, _, document = line.partition(b"\n")
    return orjson.loads(action)["index"]["_id"], orjson.loads(document)


def _plain(value: object) -> Json:
    """A JSON value for a Python value that a source other than CrateDB sends."""
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
