"""Batches: the documents of one bulk request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

__all__ = ["Batch", "batches"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The documents of one bulk request.

    Attributes:
        lines: each an action and a source, ready for `_bulk`.
        size: their bytes.
    """

    lines: Sequence[bytes]
    size: int


def batches(lines: Sequence[bytes], most: int) -> Iterator[Batch]:
    """Divide the documents of a page into batches of about equal size, of at most `most` bytes each.

    A document larger than `most` is a batch of its own.
    """
    total = sum(map(len, lines))
    even = total / max(1, ceil(total / most))
    begin, size = 0, 0
    for end, line in enumerate(lines):
        if size and (size + len(line) > most or size >= even):
            yield Batch(lines[begin:end], size)
            begin, size = end, 0
        size += len(line)
    if size:
        yield Batch(lines[begin:], size)
