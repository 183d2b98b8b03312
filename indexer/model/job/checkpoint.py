"""Checkpoints: which pages Elasticsearch has acknowledged, and so how far each slice is."""

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
    """The progress of one slice: all that a checkpoint holds of it.

    Attributes:
        number: the slice.
        windows: what is still to be read; empty once the slice is done.
        rows: rows that the plan counted in the whole slice.
        span: the whole slice as planned.
        read: rows that are acknowledged, or recorded as dead letters.
        dead: those of `read` that are dead letters.
        replaced: those of `read` that replaced a document of their `_id`.
    """

    number: int
    windows: tuple[Window, ...]
    rows: int
    span: Window
    read: int = 0
    dead: int = 0
    replaced: int = 0


@dataclass(slots=True)
class PendingPage:
    """One page on its way to Elasticsearch.

    Attributes:
        number: its slice.
        remaining: what is still to be read of the slice once this page is acknowledged.
        rows: the page's rows.
        open: its batches that are not acknowledged yet.
        dead: its documents that are dead letters so far.
        replaced: its documents that replaced another so far.
    """

    number: int
    remaining: tuple[Window, ...]
    rows: int
    open: int
    dead: int = 0
    replaced: int = 0


class AckTracker:
    """Keeps, per slice, the pending pages in their order.

    A slice advances only past a page whose batches are all acknowledged, and all pages before it: so what `slices`
    returns is never ahead of the data.
    """

    def __init__(self, slices: Iterable[SliceProgress]) -> None:
        self._lock = threading.Lock()
        self._slices = {progress.number: progress for progress in slices}
        self._pending: dict[int, deque[PendingPage]] = {number: deque() for number in self._slices}

    def page(self, number: int, remaining: tuple[Window, ...], *, rows: int, batches: int) -> PendingPage:
        """A page of the slice was read, and is on its way in so many batches."""
        page = PendingPage(number, remaining, rows, batches)
        with self._lock:
            self._pending[number].append(page)
            self._advance(number)
        return page

    def acknowledged(self, page: PendingPage, dead: int = 0, replaced: int = 0) -> None:
        """One of the page's batches is acknowledged.

        Args:
            page: the page.
            dead: documents of the batch that are recorded as dead letters.
            replaced: documents of the batch that replaced another.
        """
        with self._lock:
            page.open -= 1
            page.dead += dead
            page.replaced += replaced
            self._advance(page.number)

    def _advance(self, number: int) -> None:
        pages = self._pending[number]
        while pages and pages[0].open == 0:
            page = pages.popleft()
            now = self._slices[number]
            self._slices[number] = replace(
                now,
                windows=page.remaining,
                read=now.read + page.rows,
                dead=now.dead + page.dead,
                replaced=now.replaced + page.replaced,
            )

    def slices(self) -> tuple[SliceProgress, ...]:
        """The progress of every slice at this moment; those that are done have no windows."""
        with self._lock:
            return tuple(self._slices.values())


def unread(slices: Iterable[Slice]) -> tuple[SliceProgress, ...]:
    """The progress of slices that nothing was read of."""
    return tuple(SliceProgress(each.number, (each.window,), each.rows, each.window) for each in slices)


def write_slices(slices: Sequence[SliceProgress]) -> list[Json]:
    """The progress of each slice, as JSON."""
    return [
        {
            "number": each.number,
            "rows": each.rows,
            "read": each.read,
            "dead": each.dead,
            "replaced": each.replaced,
            "windows": [_write(window) for window in each.windows],
            "span": _write(each.span),
        }
        for each in slices
    ]


def read_slices(content: Sequence[JsonObject]) -> tuple[SliceProgress, ...]:
    """The inverse of `write_slices`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_slices` made.
    """
    return tuple(
        SliceProgress(
            number=_int(each["number"]),
            windows=tuple(_read(_object(window)) for window in _list(each["windows"])),
            rows=_int(each["rows"]),
            read=_int(each["read"]),
            dead=_int(each["dead"]),
            replaced=_int(each["replaced"]),
            span=_read(_object(each["span"])),
        )
        for each in content
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
