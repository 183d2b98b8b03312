"""A table in memory that answers the questions of a walk as a source would: the pure counterpart of the servers."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from indexer.model.json import Json, Row
from indexer.model.paging.walk import Walk
from indexer.model.paging.window import Keyset, Offset, PageRequest, Prefix, PrefixCount, Prefixes, Range, TieGroup

LEAD, TIE = 0, 1
"""Where the key column and the tie stand in a row."""


Lead: TypeAlias = int | str | None


class MemoryTable:
    """Rows of (key column, tie), the tie unique; remembers how many rows each page had."""

    def __init__(self, rows: Sequence[tuple[Lead, int]]) -> None:
        self.rows = list(rows)
        self.pages: list[int] = []
        self.censuses = 0

    def page(self, ask: PageRequest) -> list[Row]:
        """At most `ask.limit` rows of the window, in the order that was asked for."""
        found: list[Row] = [[lead, tie] for lead, tie in self._found(ask)[: ask.limit]]
        self.pages.append(len(found))
        return found

    def _found(self, ask: PageRequest) -> Sequence[tuple[Lead, int]]:
        match ask.window:
            case Range(lo, hi):
                numbers = self._numbers()
                ordered = sorted(numbers, key=_key_column) if ask.ordered else numbers
                return [(lead, tie) for lead, tie in ordered if lo < lead <= hi]
            case Prefixes(prefixes):
                return [(lead, tie) for lead, tie in self._texts() if any(_begins(lead, prefix) for prefix in prefixes)]
            case TieGroup(value, after):
                ties = sorted(tie for lead, tie in self.rows if lead == value)
                return [(value, tie) for tie in ties if after is None or tie > _number(after[0])]
            case Keyset(after):
                numbers = sorted(self._numbers())
                return [*filter(lambda row: after is None or row > (_number(after[0]), _number(after[1])), numbers)]
            case Offset(offset):
                return [*sorted(self._numbers())][offset:]

    def _numbers(self) -> list[tuple[int, int]]:
        return [(lead, tie) for lead, tie in self.rows if isinstance(lead, int)]

    def _texts(self) -> list[tuple[str, int]]:
        return [(lead, tie) for lead, tie in self.rows if isinstance(lead, str)]

    def count_prefixes(self, census: PrefixCount) -> list[tuple[str, int]]:
        """The rows per longer prefix, cut by UTF-16 units and never within a surrogate pair."""
        self.censuses += 1
        texts = [lead for lead, _ in self._texts() if lead.startswith(census.prefix)]
        return list(Counter(cut(text, census.units) for text in texts).items())


def _key_column(row: tuple[int, int]) -> int:
    return row[LEAD]  # not the tie: rows of one key value come in any order


def _begins(lead: str, prefix: Prefix) -> bool:
    return lead == prefix.text if prefix.exact else lead.startswith(prefix.text)


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


def run(walk: Walk, table: MemoryTable, most: int = 100_000) -> list[Row]:
    """Walk to the end; returns all rows handed out. Fails where the walk asks more than `most` questions."""
    out: list[Row] = []
    for _ in range(most):
        question = walk.next_request()
        if question is None:
            return out
        if isinstance(question, PrefixCount):
            walk.learn_counts(table.count_prefixes(question))
        else:
            assert walk.next_request() == question, "asking again without an answer must repeat the question"
            out.extend(walk.take(table.page(question)))
    raise AssertionError(f"no end after {most} questions")
