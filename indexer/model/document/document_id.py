"""`_id`: the text that identifies a row, made of its key values alone, so that writing a row again overwrites it."""

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
"""How an `_id` begins that stands for a text which Elasticsearch would not take as it is."""

_MAX_BYTES: Final = 512
"""Elasticsearch's limit. One longer `_id` fails the whole bulk request, not just its item (seen on 9.2.0)."""

_MAX_UTF8: Final = 4
"""Bytes that a character takes at most."""

_PART: Final = re.compile(r"((?:[^|\\]|\\.)*)(?:\||$)", re.DOTALL)

IdMaker = Callable[[Sequence[object]], str]
"""Takes a row, returns its `_id`."""


def id_maker(selection: Selection) -> IdMaker:
    r"""Compose what makes the `_id` of a row.

    One column: its value as text, an integer in digits, a boolean as true or false. Several columns: the values joined
    by `|`, with `|` and `\` inside a value escaped by `\`, so that no two keys give one `_id`. An empty text, one of
    more than 512 bytes, and one that begins with `sha256:` becomes `sha256:` and its hash in hexadecimal digits.

    Raises:
        SourceError: by the maker, for a row with NULL in one of the columns.
    """
    if selection.row_id is not None:
        return _single(_value(selection.width - 1, padded=False, name=selection.row_id))
    makers = [
        _value(selection.place(column), padded=column.type.kind is ColumnKind.CHAR, name=column.name)
        for column in selection.id_columns
    ]
    return _single(makers[0]) if len(makers) == 1 else _joined(makers)


def id_parts(id_: str, count: int) -> list[str]:
    """The texts of so many columns that `id_maker` made an `_id` of; none where the `_id` is a hash of them."""
    if id_.startswith(HASHED):
        return []
    if count == 1:
        return [id_]
    parts: list[str] = _PART.findall(id_)[:count]
    return [re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in parts]


def _single(maker: IdMaker) -> IdMaker:
    return lambda row: fit_id(maker(row))


def _joined(makers: Sequence[IdMaker]) -> IdMaker:
    return lambda row: fit_id("|".join([_escaped(maker(row)) for maker in makers]))


def _value(place: int, *, padded: bool, name: str) -> IdMaker:
    def text(row: Sequence[object]) -> str:
        value = row[place]
        if type(value) is str:
            return value.rstrip(" ") if padded else value
        if value is None:
            raise SourceError(
                f"A row has no value in {name}, which makes its _id: name columns that are never NULL under `id`"
                " in the mapping file."
            )
        return _as_text(value)

    return text


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        # To the microsecond: epoch milliseconds, as documents have them, could make one _id of two keys.
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    return str(value)


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")


def fit_id(text: str) -> str:
    """The text where Elasticsearch takes it as an `_id`, else `sha256:` and its hash."""
    short = len(text) * _MAX_UTF8 <= _MAX_BYTES or len(text.encode()) <= _MAX_BYTES
    if text and short and not text.startswith(HASHED):
        return text
    return HASHED + hashlib.sha256(text.encode()).hexdigest()
