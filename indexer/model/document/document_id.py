"""`_id`: derived from a row's key values alone, so that writing a row again overwrites its document."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from indexer.errors import SourceError
from indexer.model.table.selection import Selection
from indexer.model.table.table import ColumnKind

__all__ = ["HASHED", "IdMaker", "fit_id", "id_maker", "id_parts"]

HASHED: Final = "sha256:"
"""The prefix of an `_id` that is a hash, because Elasticsearch does not accept the text itself."""

_MAX_BYTES: Final = 512
"""Elasticsearch's limit. A single longer `_id` fails the whole bulk request, not only its item (seen on 9.2.0)."""

_MAX_CHARACTER_BYTES: Final = 4
"""The longest UTF-8 encoding of one character."""

_PART: Final = re.compile(r"((?:[^|\\]|\\.)*)(?:\||$)", re.DOTALL)

IdMaker = Callable[[Sequence[object]], str]
"""Takes a row and returns its `_id`."""


def id_maker(selection: Selection) -> IdMaker:
    r"""Compose the function that makes the `_id` of a row.

    One column: its value as text, an integer in digits, a boolean as true or false. Several columns: the values joined
    by `|`, with `|` and `\` inside a value escaped by `\`, so that different keys never share an `_id`. A text that is
    empty, exceeds 512 bytes or begins with `sha256:` is replaced by `sha256:` and its hash in hexadecimal digits.

    Raises:
        SourceError: by the returned function, for a row with NULL in one of the columns.
    """
    if selection.row_id is not None:
        return _single(_value(selection.width - 1, padded=False, name=selection.row_id))
    makers = [
        _value(selection.position(column), padded=column.type.kind is ColumnKind.CHAR, name=column.name)
        for column in selection.id_columns
    ]
    return _single(makers[0]) if len(makers) == 1 else _joined(makers)


def id_parts(id_: str, count: int) -> list[str]:
    """The texts of the `count` columns that make up an `_id`; empty for a hash."""
    if id_.startswith(HASHED):
        return []
    if count == 1:
        return [id_]
    parts: list[str] = _PART.findall(id_)[:count]
    return [re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in parts]


def fit_id(text: str) -> str:
    """The text itself where Elasticsearch accepts it as an `_id`, else `sha256:` and its hash."""
    short = len(text) * _MAX_CHARACTER_BYTES <= _MAX_BYTES or len(text.encode()) <= _MAX_BYTES
    if text and short and not text.startswith(HASHED):
        return text
    return HASHED + hashlib.sha256(text.encode()).hexdigest()


def _single(maker: IdMaker) -> IdMaker:
    return lambda row: fit_id(maker(row))


def _joined(makers: Sequence[IdMaker]) -> IdMaker:
    return lambda row: fit_id("|".join([_escaped(maker(row)) for maker in makers]))


def _value(position: int, *, padded: bool, name: str) -> IdMaker:
    def text(row: Sequence[object]) -> str:
        value = row[position]
        if type(value) is str:
            return value.rstrip(" ") if padded else value
        if value is None:
            raise SourceError(
                f"A row has NULL in {name}, which is part of its _id: name columns that are never NULL under `id` in"
                " the mapping file."
            )
        return _as_text(value)

    return text


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        # To the microsecond: in milliseconds, as documents have it, two keys could share an _id.
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    return str(value)


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")
