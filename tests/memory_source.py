"""A table in memory that answers the questions of a walk as a source would: the pure counterpart of the servers."""

from collections import Counter
from collections.abc import Sequence

from indexer.model.json import Json, Row
from indexer.model.walk import Walk
from indexer.model.window import Ask, Census, Group, Keyset, Offset, Prefixes, Range

LEAD, TIE = 0, 1
"""Where the lead and the tie stand in a row."""


class MemoryTable:
    """Rows of (lead, tie), the tie unique; counts the questions and remembers how many rows came back."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.pages: list[int] = []
        self.censuses = 0

    def page(self, ask: Ask) -> list[Row]:
        """At most `ask.limit` rows of the window, in the window's order."""
        found = self._found(ask)[: ask.limit]
        self.pages.append(len(found))
        return found

    def _found(self, ask: Ask) -> list[Row]:
        match ask.window:
            case Range(lo, hi):
                rows = [r for r in self.rows if isinstance(r[LEAD], int) and lo < r[LEAD] <= hi]
                return sorted(rows, key=lambda r: _number(r[LEAD]))  # ties in the table's order, which is any
            case Prefixes(prefixes):
                return [
                    r
                    for r in self.rows
                    if isinstance(r[LEAD], str)
                    and any(r[LEAD] == p.text if p.exact else r[LEAD].startswith(p.text) for p in prefixes)
                ]
            case Group(value, after):
                rows = sorted((r for r in self.rows if r[LEAD] == value), key=lambda r: _number(r[TIE]))
                return [r for r in rows if after is None or _number(r[TIE]) > _number(after[0])]
            case Keyset(after):
                rows = sorted(
                    (r for r in self.rows if r[LEAD] is not None), key=lambda r: (_number(r[LEAD]), _number(r[TIE]))
                )
                return [r for r in rows if after is None or (_number(r[LEAD]), _number(r[TIE])) > _pair(after)]
            case Offset(offset):
                return sorted(self.rows, key=lambda r: (r[LEAD] is None, r[LEAD] or 0, _number(r[TIE])))[offset:]

    def census(self, census: Census) -> list[tuple[str, int]]:
        """The rows per longer prefix, cut by UTF-16 units and never within a surrogate pair."""
        self.censuses += 1
        texts = [r[LEAD] for r in self.rows if isinstance(r[LEAD], str) and r[LEAD].startswith(census.prefix)]
        return list(Counter(cut(text, census.units) for text in texts).items())


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


def _pair(after: tuple[Json, ...]) -> tuple[int, int]:
    return _number(after[0]), _number(after[1])


def run(walk: Walk, table: MemoryTable, most: int = 100_000) -> list[Row]:
    """Walk to the end; returns all rows handed out. Fails where the walk asks more than `most` questions."""
    out: list[Row] = []
    for _ in range(most):
        question = walk.ask()
        if question is None:
            return out
        if isinstance(question, Census):
            walk.learn(table.census(question))
        else:
            assert walk.ask() == question, "asking again without an answer must repeat the question"
            out.extend(walk.take(table.page(question)))
    raise AssertionError(f"no end after {most} questions")
