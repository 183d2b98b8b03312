"""The walk through text values, by prefixes that each have less than a page of rows."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Final

from indexer.errors import NoProgress
from indexer.model.json import Row
from indexer.model.paging.keyset_walk import TieGroupWalk
from indexer.model.paging.window import PageRequest, Prefix, PrefixCount, Prefixes, TieGroup, Window

__all__ = ["PrefixWalk", "to_prefixes", "utf16_units"]

_FILL: Final = 0.95
"""How full a bundle of prefixes should make a page: rows may have been added since the prefix count."""

_MAX_PREFIXES: Final = 128
"""The most prefixes that one query names."""

_MAX_FAN_OUT: Final = 4096
"""The most longer prefixes that a prefix count should return."""


class PrefixWalk:
    """Pages through `Prefixes`: `key column LIKE 'ab%' OR key column LIKE 'ac%' LIMIT limit`, as many as fill a page.

    A prefix with more rows than a page is replaced by longer prefixes, from a prefix count. A single value with more
    rows than a page is walked as a `TieGroup`. The rows of a page need no order, so it does not matter that CrateDB
    sorts text by UTF-8 within a shard and by UTF-16 between shards (which makes a plain keyset over text skip rows).
    """

    def __init__(self, window: Prefixes, *, tiebreakers: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._tiebreakers = tiebreakers
        self._pending = deque(window.prefixes)
        self._group: TieGroupWalk | None = None
        self._fan_out = 2

    @property
    def _target(self) -> int:
        return max(1, int(self.limit * _FILL))

    def next_request(self) -> PageRequest | PrefixCount | None:
        """The next bundle of prefixes, the prefix count of an overfull prefix, or a page of an overfull value."""
        if self._group is not None:
            self._group.limit = self.limit
            return self._group.next_request()
        if not self._pending:
            return None
        first = self._pending[0]
        if first.rows <= self._target:
            return PageRequest(Prefixes(self._bundle()), self.limit)
        if first.exact:
            self._group = TieGroupWalk(TieGroup(first.text), tiebreakers=self._tiebreakers, limit=self.limit)
            self._pending.popleft()
            return self.next_request()
        return PrefixCount(first.text, utf16_units(first.text) + self._further_units(first.rows))

    def _bundle(self) -> tuple[Prefix, ...]:
        bundle: list[Prefix] = []
        rows = 0
        for prefix in self._pending:
            rows += prefix.rows
            if bundle and (rows > self._target or len(bundle) == _MAX_PREFIXES):
                break
            bundle.append(prefix)
        return tuple(bundle)

    def _further_units(self, rows: int) -> int:
        """How much longer the next prefixes should be, so that each has about a page of rows."""
        prefixes = min(rows / self._target, _MAX_FAN_OUT)
        return max(1, int(log(prefixes, self._fan_out))) if prefixes > 1 else 1

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows of the page; none if it overflowed, because its prefixes are then refined and read again."""
        if self._group is not None:
            group_rows = self._group.take(rows)
            if self._group.next_request() is None:
                self._group = None
            return group_rows
        bundle = [self._pending.popleft() for _ in self._bundle()]
        if len(rows) < self.limit:
            return rows
        overfull = self._target + 1
        self._pending.extendleft(replace(prefix, rows=overfull) for prefix in reversed(bundle))
        return ()

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Replace the prefix of the request by the longer prefixes that were counted."""
        request = self.next_request()
        if not isinstance(request, PrefixCount):
            raise NotImplementedError(request)
        parent = self._pending.popleft()
        longer = to_prefixes(counts, request.units)
        if any(not child.text.startswith(parent.text) for child in longer) or longer == (parent,):
            raise NoProgress(
                f"The rows per prefix below {parent.text!r} came back as {counts[:3]!r}, which does not refine it."
            )
        self._fan_out = max(2, round(len(longer) ** (1 / (request.units - utf16_units(parent.text)))))
        self._pending.extendleft(reversed(longer))

    def remaining(self) -> tuple[Window, ...]:
        """The rest of the value that is walked by itself, then the prefixes that have not been read."""
        group = self._group.remaining() if self._group else ()
        return (*group, Prefixes(tuple(self._pending))) if self._pending else group


def utf16_units(text: str) -> int:
    """The length of a text in UTF-16 units, as CrateDB's `substr` counts it: two for a character beyond U+FFFF."""
    return len(text) + sum(char > "\uffff" for char in text)


def to_prefixes(counts: Sequence[tuple[str, int]], units: int) -> tuple[Prefix, ...]:
    """The prefixes of a prefix count, sorted. One that is shorter than `units` can only be a whole value."""
    return tuple(Prefix(text, exact=utf16_units(text) < units, rows=rows) for text, rows in sorted(counts))
