"""The ledger: which pages Elasticsearch has acknowledged, and so what is left of each slice."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from indexer.model.slice import Slice
from indexer.model.window import Window

__all__ = ["Entry", "Ledger", "Left"]


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one slice: all that a checkpoint has to hold of it.

    Attributes:
        number: the slice.
        windows: what is left to walk; empty once the slice is done.
        rows: how many rows the plan counted in the whole slice.
        read: how many of its rows are acknowledged, or recorded as dead letters.
        dead: how many of these are dead letters.
        again: how many of these took the place of a document of their `_id`.
        span: the whole slice as planned.
    """

    number: int
    windows: tuple[Window, ...]
    rows: int
    span: Window
    read: int = 0
    dead: int = 0
    again: int = 0


@dataclass(slots=True)
class Entry:
    """One page on its way.

    Attributes:
        number: its slice.
        rest: what is left of the slice once this page is acknowledged.
        rows: the page's rows.
        open: how many of its batches are not acknowledged.
        dead: how many of its documents are dead letters so far.
        again: how many of them took the place of another so far.
    """

    number: int
    rest: tuple[Window, ...]
    rows: int
    open: int
    dead: int = 0
    again: int = 0


class Ledger:
    """Keeps, per slice, the pages on their way in their order.

    A slice advances only past a page whose batches are all acknowledged, and all pages before it: so what `left`
    returns is never ahead of the data.
    """

    def __init__(self, slices: Iterable[Left]) -> None:
        self._lock = threading.Lock()
        self._left = {part.number: part for part in slices}
        self._on_their_way: dict[int, deque[Entry]] = {number: deque() for number in self._left}

    def page(self, number: int, rest: tuple[Window, ...], *, rows: int, batches: int) -> Entry:
        """A page of the slice was read and is on its way in so many batches."""
        entry = Entry(number, rest, rows, batches)
        with self._lock:
            self._on_their_way[number].append(entry)
            self._advance(number)
        return entry

    def acknowledged(self, entry: Entry, dead: int = 0, again: int = 0) -> None:
        """One of the page's batches is acknowledged, but for so many documents that are recorded as dead letters.

        `again` of the documents took the place of another.
        """
        with self._lock:
            entry.open -= 1
            entry.dead += dead
            entry.again += again
            self._advance(entry.number)

    def _advance(self, number: int) -> None:
        pages = self._on_their_way[number]
        while pages and pages[0].open == 0:
            page = pages.popleft()
            now = self._left[number]
            self._left[number] = replace(
                now,
                windows=page.rest,
                read=now.read + page.rows,
                dead=now.dead + page.dead,
                again=now.again + page.again,
            )

    def left(self) -> tuple[Left, ...]:
        """What is left of every slice at this moment; those that are done have no windows."""
        with self._lock:
            return tuple(self._left.values())


def whole(slices: Iterable[Slice]) -> tuple[Left, ...]:
    """All of every slice, as a new job begins."""
    return tuple(Left(part.number, (part.window,), part.rows, part.window) for part in slices)
