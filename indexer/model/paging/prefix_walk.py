"""The walk through text values, by prefixes that hold less than a page each."""

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
"""The share of a page that a bundle of prefixes aims at: rows may have been added since the prefix count."""

_BUNDLE: Final = 128
"""How many prefixes one query may name."""

_FAN_OUT: Final = 4096
"""How many longer prefixes one prefix count may be expected to return."""


class PrefixWalk:
    """Pages through `Prefixes`: `key column LIKE 'ab%' OR key column LIKE 'ac%' LIMIT limit`, as many as fill a page.

    A prefix too full for a page is refined by a prefix count of longer ones; a value too full for a page is walked as a
    `TieGroup`. The rows of a page need no order, so it does not matter that CrateDB sorts text by UTF-8 within a shard
    and by UTF-16 between shards (which makes a plain keyset over text skip rows).
    """

    def __init__(self, window: Prefixes, *, tiebreakers: tuple[int, ...], limit: int) -> None:
        self.limit = limit
        self._tiebreakers = tiebreakers
        self._todo = deque(window.prefixes)
        self._group: TieGroupWalk | None = None
        self._fan_out = 2

    @property
    def _target(self) -> int:
        return max(1, int(self.limit * _FILL))

    def next_request(self) -> PageRequest | PrefixCount | None:
        """The next bundle of prefixes, the prefix count of one too full, or a page of a value too full."""
        if self._group is not None:
            self._group.limit = self.limit
            return self._group.next_request()
        if not self._todo:
            return None
        first = self._todo[0]
        if first.rows <= self._target:
            return PageRequest(Prefixes(self._bundle()), self.limit)
        if first.exact:
            self._group = TieGroupWalk(TieGroup(first.text), tiebreakers=self._tiebreakers, limit=self.limit)
            self._todo.popleft()
            return self.next_request()
        return PrefixCount(first.text, utf16_units(first.text) + self._deeper(first.rows))

    def _bundle(self) -> tuple[Prefix, ...]:
        bundle: list[Prefix] = []
        rows = 0
        for prefix in self._todo:
            rows += prefix.rows
            if bundle and (rows > self._target or len(bundle) == _BUNDLE):
                break
            bundle.append(prefix)
        return tuple(bundle)

    def _deeper(self, rows: int) -> int:
        wanted = min(rows / self._target, _FAN_OUT)
        return max(1, int(log(wanted, self._fan_out))) if wanted > 1 else 1

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows of the page; none where it overflowed, for then its prefixes are refined and come again."""
        if self._group is not None:
            taken = self._group.take(rows)
            if self._group.next_request() is None:
                self._group = None
            return taken
        bundle = [self._todo.popleft() for _ in self._bundle()]
        if len(rows) < self.limit:
            return rows
        overfull = self._target + 1
        self._todo.extendleft(replace(prefix, rows=overfull) for prefix in reversed(bundle))
        return ()

    def learn_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Replace the prefix that was asked about by the longer ones that were counted."""
        asked = self.next_request()
        if not isinstance(asked, PrefixCount):
            raise NotImplementedError(asked)
        parent = self._todo.popleft()
        longer = to_prefixes(counts, asked.units)
        if any(not child.text.startswith(parent.text) for child in longer) or longer == (parent,):
            raise NoProgress(
                f"The census of the prefix {parent.text!r} came back with {counts[:3]!r}: it cannot be refined."
            )
        self._fan_out = max(2, round(len(longer) ** (1 / (asked.units - utf16_units(parent.text)))))
        self._todo.extendleft(reversed(longer))

    def remaining(self) -> tuple[Window, ...]:
        """The rest of a value that is walked alone, then the prefixes that were not read."""
        group = self._group.remaining() if self._group else ()
        return (*group, Prefixes(tuple(self._todo))) if self._todo else group


def utf16_units(text: str) -> int:
    """The length of a text in UTF-16 units, as CrateDB's `substr` counts it: two for what lies beyond U+FFFF."""
    return len(text) + sum(char > "\uffff" for char in text)


def to_prefixes(counts: Sequence[tuple[str, int]], units: int) -> tuple[Prefix, ...]:
    """The prefixes that a prefix count counted, sorted: one shorter than asked for can only be a whole value."""
    return tuple(Prefix(text, exact=utf16_units(text) < units, rows=rows) for text, rows in sorted(counts))
