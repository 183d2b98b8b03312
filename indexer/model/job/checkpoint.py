"""The tracker: which pages Elasticsearch has acknowledged, and so what is left of each slice."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from indexer.model.json import Json, JsonObject
from indexer.model.paging.slice import Slice
from indexer.model.paging.window import Keyset, Offset, Prefix, Prefixes, Range, TieGroup, Window

__all__ = ["AckTracker", "PendingPage", "SliceProgress", "read_slices", "write_slices"]


@dataclass(frozen=True, slots=True)
class SliceProgress:
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
class PendingPage:
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
    remaining: tuple[Window, ...]
    rows: int
    open: int
    dead: int = 0
    again: int = 0


class AckTracker:
    """Keeps, per slice, the pages on their way in their order.

    A slice advances only past a page whose batches are all acknowledged, and all pages before it: so what `left`
    returns is never ahead of the data.
    """

    def __init__(self, slices: Iterable[SliceProgress]) -> None:
        self._lock = threading.Lock()
        self._slices = {part.number: part for part in slices}
        self._on_their_way: dict[int, deque[PendingPage]] = {number: deque() for number in self._slices}

    def page(self, number: int, remaining: tuple[Window, ...], *, rows: int, batches: int) -> PendingPage:
        """A page of the slice was read and is on its way in so many batches."""
        entry = PendingPage(number, remaining, rows, batches)
        with self._lock:
            self._on_their_way[number].append(entry)
            self._advance(number)
        return entry

    def acknowledged(self, entry: PendingPage, dead: int = 0, again: int = 0) -> None:
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
            now = self._slices[number]
            self._slices[number] = replace(
                now,
                windows=page.remaining,
                read=now.read + page.rows,
                dead=now.dead + page.dead,
                again=now.again + page.again,
            )

    def slices(self) -> tuple[SliceProgress, ...]:
        """What is left of every slice at this moment; those that are done have no windows."""
        with self._lock:
            return tuple(self._slices.values())


def unread(slices: Iterable[Slice]) -> tuple[SliceProgress, ...]:
    """All of every slice, as a new job begins."""
    return tuple(SliceProgress(part.number, (part.window,), part.rows, part.window) for part in slices)


def write_slices(slices: Sequence[SliceProgress]) -> list[Json]:
    """What is left of each slice, as JSON."""
    return [
        {
            "number": part.number,
            "rows": part.rows,
            "read": part.read,
            "dead": part.dead,
            "again": part.again,
            "windows": [_write(window) for window in part.windows],
            "span": _write(part.span),
        }
        for part in slices
    ]


def read_slices(content: Sequence[JsonObject]) -> tuple[SliceProgress, ...]:
    """The inverse of `write_slices`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_slices` made.
    """
    return tuple(
        SliceProgress(
            number=_int(part["number"]),
            windows=tuple(_read(_object(window)) for window in _list(part["windows"])),
            rows=_int(part["rows"]),
            read=_int(part["read"]),
            dead=_int(part["dead"]),
            again=_int(part["again"]),
            span=_read(_object(part["span"])),
        )
        for part in content
    )


def _write(window: Window) -> Json:
    match window:
        case Range(lo, hi):
            return {"range": [lo, hi]}
        case Prefixes(prefixes):
            return {"prefixes": [[prefix.text, prefix.exact, prefix.rows] for prefix in prefixes]}
        case TieGroup(value, after):
            return {"group": value, "after": _after(after)}
        case Keyset(after):
            return {"keyset": _after(after)}
        case Offset(offset):
            return {"offset": offset}


def _after(after: tuple[Json, ...] | None) -> Json:
    return None if after is None else list(after)


def _read(content: JsonObject) -> Window:
    match content:
        case {"range": [int(lo), int(hi)]}:
            return Range(lo, hi)
        case {"prefixes": [*prefixes]}:
            return Prefixes(tuple(_prefix(_list(prefix)) for prefix in prefixes))
        case {"group": int() | str() | None as value, "after": after}:
            return TieGroup(value, None if after is None else tuple(_list(after)))
        case {"keyset": after}:
            return Keyset(None if after is None else tuple(_list(after)))
        case {"offset": int(offset)}:
            return Offset(offset)
    raise ValueError(content)


def _prefix(content: list[Json]) -> Prefix:
    text, exact, rows = content
    if not isinstance(text, str):
        raise TypeError(content)
    return Prefix(text, exact=bool(exact), rows=_int(rows))


def _int(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value
