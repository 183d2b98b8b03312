"""A sample of a table's slices: the same share of every range of keys, and of text keys some prefixes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil
from random import Random
from typing import Final

from indexer.model.ledger import Left
from indexer.model.window import Prefixes, Range

__all__ = ["sample"]

_LEAST: Final = 1_000
"""Rows below which a sample says nothing: then more is taken, of a small table everything."""


def sample(slices: Sequence[Left], share: float, random: Random) -> tuple[Left, ...]:
    """About that share of the rows, each slice with its number; slices that nothing was drawn of are left out.

    Of each slice that is a range of keys, one range within it, anywhere, is taken. Text is taken by whole prefixes,
    and what has no ranges (rows without a key, a keyset) by whole slices, both drawn over the whole table.
    """
    rows = sum(part.rows for part in slices)
    share = max(share, min(1.0, _LEAST / max(1, rows)))
    if share >= 1:
        return tuple(slices)
    ranges = [part for part in slices if _range(part) is not None]
    others = [part for part in slices if _range(part) is None]
    return (*(_within(part, share, random) for part in ranges), *_drawn(others, share, random))


def _range(part: Left) -> Range | None:
    match part.windows:
        case (Range() as window,):
            return window
        case _:
            return None


def _within(part: Left, share: float, random: Random) -> Left:
    window = _range(part)
    if window is None:  # pragma: no cover - the caller has looked
        return part
    width = max(1, ceil((window.hi - window.lo) * share))
    lo = random.randint(window.lo, window.hi - width)
    return replace(part, windows=(Range(lo, lo + width),), rows=ceil(part.rows * share))


def _drawn(slices: Iterable[Left], share: float, random: Random) -> Iterable[Left]:
    pieces = [piece for part in slices for piece in _pieces(part)]
    wanted = sum(piece.rows for piece in pieces) * share
    random.shuffle(pieces)
    drawn: dict[int, Left] = {}
    for piece in pieces:
        if wanted <= 0:
            break
        wanted -= piece.rows
        before = drawn.get(piece.number, replace(piece, windows=(), rows=0))
        drawn[piece.number] = replace(before, windows=before.windows + piece.windows, rows=before.rows + piece.rows)
    return drawn.values()


def _pieces(part: Left) -> Iterator[Left]:
    for window in part.windows:
        if isinstance(window, Prefixes):
            for prefix in window.prefixes:
                yield replace(part, windows=(Prefixes((prefix,)),), rows=prefix.rows)
        else:
            yield part
