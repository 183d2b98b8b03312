"""Comparing a row's document with what the index holds: field by field, as Elasticsearch understands values.

A number is its value (1 is 1.0, and neither is true), an absent field is null, and a vector is its value in 32-bit
floats, because Elasticsearch keeps no more. Everything else must be the same JSON.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from typing import Final

import orjson

from indexer.model.json import Json

__all__ = ["FieldDifference", "document_differences", "split_line"]

_BEFORE_ID: Final = len(b'{"index":{"_id":')
_BEHIND_ID: Final = len(b"}}")

_SHOWN: Final = 80
"""Characters that are shown of a value."""

_FLOAT32: Final = 1e-6
"""How far two equal numbers may be apart once one of them was a 32-bit float, and was normalized for cosine."""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field that differs.

    Attributes:
        path: where, with the place in an array: `attrs.http.path`, `tags[1]`.
        row: the value that the row's document has, as JSON, shortened.
        index: the value that the index holds, as JSON, shortened.
    """

    path: str
    row: str
    index: str

    def __str__(self) -> str:
        return f"{self.path} is {self.index} where the row has {self.row}"


def split_line(line: bytes) -> tuple[bytes, bytes]:
    """The `_id` and the document of a line of `DocumentBuilder.lines`, both as JSON."""
    end = line.index(b"\n")
    return line[_BEFORE_ID : end - _BEHIND_ID], line[end + 1 : -1]


def document_differences(row: Json, stored: Json, vectors: frozenset[str] = frozenset()) -> Iterator[FieldDifference]:
    """The fields in which two documents differ, in the row's order.

    Args:
        row: the row's document.
        stored: what the index holds.
        vectors: the dotted names of the fields that are vectors.
    """
    return _differences(row, stored, vectors, "", "")


def _differences(row: Json, stored: Json, vectors: frozenset[str], name: str, path: str) -> Iterator[FieldDifference]:
    if isinstance(row, dict) and isinstance(stored, dict):
        for key in {**row, **stored}:
            dot = "." if path else ""
            yield from _differences(row.get(key), stored.get(key), vectors, f"{name}{dot}{key}", f"{path}{dot}{key}")
    elif isinstance(row, list) and isinstance(stored, list) and len(row) == len(stored):
        for place, (row_item, stored_item) in enumerate(zip(row, stored, strict=True)):
            yield from _differences(row_item, stored_item, vectors, name, f"{path}[{place}]")
    elif not _equal(row, stored, rounded=name in vectors):
        yield FieldDifference(path, _shown(row), _shown(stored))


def _equal(row: Json, stored: Json, *, rounded: bool) -> bool:
    if isinstance(row, bool) or isinstance(stored, bool):
        return row is stored
    if rounded and isinstance(row, int | float) and isinstance(stored, int | float):
        return isclose(row, stored, rel_tol=_FLOAT32, abs_tol=_FLOAT32)
    return row == stored


def _shown(value: Json) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
