"""The lines of a `_bulk` request: grouped into batches, and read back.

A line holds one document: its action and its source, each ended by a newline, as `DocumentBuilder.lines` makes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import orjson

from indexer.model.json import Json, JsonObject

__all__ = ["Batch", "line_id", "parse_line", "split_batches"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The documents of one bulk request.

    Attributes:
        lines: the documents, ready for `_bulk`.
        size: the sum of their lengths, in bytes.
    """

    lines: Sequence[bytes]
    size: int


def split_batches(lines: Sequence[bytes], max_bytes: int) -> Iterator[Batch]:
    """Divide the documents of a page into batches of similar size, each of at most `max_bytes`.

    A document larger than `max_bytes` gets a batch of its own.
    """
    total = sum(map(len, lines))
    even = total / max(1, ceil(total / max_bytes))
    begin, size = 0, 0
    for end, line in enumerate(lines):
        if size and (size + len(line) > max_bytes or size >= even):
            yield Batch(lines[begin:end], size)
            begin, size = end, 0
        size += len(line)
    if size:
        yield Batch(lines[begin:], size)


def parse_line(line: bytes) -> tuple[str, JsonObject]:
    """Split a line into the document's `_id` and its `_source`."""
    action, _, document = line.partition(b"\n")
    return orjson.loads(action)["index"]["_id"], orjson.loads(document)


def line_id(line: bytes) -> str:
    """The document's `_id`; empty where the action names none. The source is not parsed."""
    parsed: Json = orjson.loads(line.partition(b"\n")[0])
    action = parsed.get("index") if isinstance(parsed, dict) else None
    return str(action.get("_id", "")) if isinstance(action, dict) else ""
