"""Documents: rows as lines of a `_bulk` request."""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import compress
from typing import Final

import orjson

from indexer.errors import SourceError
from indexer.model.change import Change, Changes
from indexer.model.document_id import id_maker
from indexer.model.json import Json, JsonObject, Row
from indexer.model.mapping import Mapping
from indexer.model.selection import Selection

__all__ = ["Documents", "parse_line"]

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Documents:
    """Makes the documents of a job's rows, by steps that are compiled once.

    Each reader has its own: `nulled` is counted without a lock.

    What Elasticsearch refuses in keys of dynamic objects (empty or blank names) is left as it is: the document becomes
    a dead letter that says so.
    """

    def __init__(self, selection: Selection, mapping: Mapping) -> None:
        changes = Changes(mapping.fields)
        kept = [changes.name(column) for column in selection.columns]
        self._names = [name for name in kept if name is not None]
        self._kept = None if len(self._names) == len(kept) else [name is not None for name in kept]
        self._steps: list[tuple[str, Change]] = list(changes.steps(selection.columns))
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
    """Split a line of `Documents.lines` into its `_id` and its document."""
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
