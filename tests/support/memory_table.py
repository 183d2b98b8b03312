"""A table in memory that answers the requests of a walk as a source does."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from indexer.model.json import Json, Row
from indexer.model.paging.walk import Walk
from indexer.model.paging.window import Keyset, Offset, PageRequest, Prefix, PrefixCount, Prefixes, Range, TieGroup

KEY_COLUMN, TIEBREAKER = 0, 1
"""The positions of the key column and the tiebreaker in a row."""

KeyValue: TypeAlias = int | str | None


class MemoryTable:
    """Rows of a key value and a unique tiebreaker.

    Attributes:
        rows: the rows.
        pages: how many rows each page had.
    """

    def __init__(self, rows: Sequence[tuple[KeyValue, int]]) -> None:
        self.rows = list(rows)
        self.pages: list[int] = []

    def page(self, request: PageRequest) -> list[Row]:
        """At most `request.limit` rows of the window, in its order."""
        page: list[Row] = [[key, tie] for key, tie in self._window(request)[: request.limit]]
        self.pages.append(len(page))
        return page

    def _window(self, request: PageRequest) -> Sequence[tuple[KeyValue, int]]:
        match request.window:
            case Range(lo, hi):
                numbers = self._numbers()
                ordered = sorted(numbers, key=_key_value) if request.ordered else numbers
                return [(key, tie) for key, tie in ordered if lo < key <= hi]
            case Prefixes(prefixes):
                return [(key, tie) for key, tie in self._texts() if any(_begins(key, prefix) for prefix in prefixes)]
            case TieGroup(value, after):
                ties = sorted(tie for key, tie in self.rows if key == value)
                return [(value, tie) for tie in ties if after is None or tie > _number(after[0])]
            case Keyset(after):
                numbers = sorted(self._numbers())
                return [*filter(lambda row: after is None or row > (_number(after[0]), _number(after[1])), numbers)]
            case Offset(offset):
                return [*sorted(self._numbers())][offset:]

    def _numbers(self) -> list[tuple[int, int]]:
        return [(key, tie) for key, tie in self.rows if isinstance(key, int)]

    def _texts(self) -> list[tuple[str, int]]:
        return [(key, tie) for key, tie in self.rows if isinstance(key, str)]

    def count_prefixes(self, request: PrefixCount) -> list[tuple[str, int]]:
        """The rows per longer prefix, cut by UTF-16 units and never within a surrogate pair."""
        texts = [key for key, _ in self._texts() if key.startswith(request.prefix)]
        return list(Counter(cut(text, request.units) for text in texts).items())


def _key_value(row: tuple[int, int]) -> int:
    return row[KEY_COLUMN]  # without the tiebreaker: rows of one key value come in any order


def _begins(text: str, prefix: Prefix) -> bool:
    return text == prefix.text if prefix.exact else text.startswith(prefix.text)


def cut(text: str, units: int) -> str:
    """The first `units` UTF-16 units, one more where that would halve a surrogate pair."""
    kept, length = "", 0
    for char in text:
        if length >= units:
            break
        kept += char
        length += 2 if char > "\uffff" else 1
    return kept


def _number(value: Json) -> int:
    assert isinstance(value, int)
    return value


def walk_all(walk: Walk, table: MemoryTable, max_requests: int = 100_000) -> list[Row]:
    """Walk to the end and return all rows. Fails if the walk makes more than `max_requests`."""
    rows: list[Row] = []
    for _ in range(max_requests):
        request = walk.next_request()
        if request is None:
            return rows
        if isinstance(request, PrefixCount):
            walk.learn_counts(table.count_prefixes(request))
        else:
            assert walk.next_request() == request, "without an answer the request must stay the same"
            rows.extend(walk.take(table.page(request)))
    raise AssertionError(f"no end after {max_requests} requests")
