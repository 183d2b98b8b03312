"""The SQL of one page by key, strategy and depth: what a person would write by hand.

The keys of narrow tables are spread evenly, so the value at any depth is known without asking for it.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

from bench.scenarios.tables import NARROW_COLUMNS, SPAN, TIES
from indexer.model.json import Json
from indexer.model.table.table import TableName

__all__ = ["NarrowTable", "PageKey", "PageStrategy", "strategies"]

_EPOCH: Final = 1_700_000_000_000
_DIGITS: Final = 12
"""Hexadecimal digits of a text bound: more than tell any two rows apart."""

_ROUNDING: Final = 1e-6
"""Where a prefix begins, a division must not end just below it."""

_SIGMAS: Final = 6
"""A window holds fewer rows than a page by so many standard deviations: random keys are not spread quite evenly, and no
row may be cut off."""


class PageKey(StrEnum):
    """The kind of key by which pages advance."""

    SEQUENTIAL = "sequential BIGINT"
    RANDOM = "random BIGINT"
    TIME = "timestamp with ties"
    TEXT = "random text"

    @property
    def column(self) -> str:
        """Its column."""
        return {PageKey.SEQUENTIAL: "id", PageKey.RANDOM: "rnd", PageKey.TIME: "ts", PageKey.TEXT: "uid"}[self]

    @property
    def order(self) -> str:
        """What ORDER BY needs so that no two rows are equal."""
        return "ts, id" if self is PageKey.TIME else self.column


class PageStrategy(StrEnum):
    """How pages advance."""

    OFFSET = "offset"
    KEYSET = "keyset"
    WINDOW = "window"
    PREFIX = "prefix window"


def strategies(key: PageKey) -> tuple[PageStrategy, ...]:
    """Those that the key allows."""
    return tuple(one for one in PageStrategy if one is not PageStrategy.PREFIX or key is PageKey.TEXT)


@dataclass(frozen=True, slots=True)
class NarrowTable:
    """A narrow table: its name, its rows, and the most rows of a page."""

    name: TableName
    rows: int
    page: int

    def statement(self, key: PageKey, strategy: PageStrategy, passed: float) -> tuple[str, list[Json]]:
        """The page after so many rows, and its parameters."""
        where, parameters = self._where(key, strategy, passed)
        condition = f" WHERE {where}" if where else ""
        offset = f" OFFSET {int(passed)}" if strategy is PageStrategy.OFFSET else ""
        return f"{self._select(condition, key)}{offset}", parameters

    def step(self, strategy: PageStrategy) -> float:
        """How many rows a page that is not the last passes, as far as one can know."""
        if strategy is PageStrategy.PREFIX:
            return self.rows / float(16**self._length)
        return self._room if strategy is PageStrategy.WINDOW else self.page

    def _select(self, condition: str, key: PageKey) -> str:
        return f"SELECT {', '.join(NARROW_COLUMNS)} FROM {self.name}{condition} ORDER BY {key.order} LIMIT {self.page}"

    def _where(self, key: PageKey, strategy: PageStrategy, passed: float) -> tuple[str, list[Json]]:
        match strategy:
            case PageStrategy.OFFSET:
                return "", []
            case PageStrategy.KEYSET:
                return self._after(key, self._value(key, passed), int(passed)) if passed else ("", [])
            case PageStrategy.WINDOW:
                low, high = (self._bound(key, rank) for rank in (passed, passed + self.step(strategy)))
                return f"{key.column} > ? AND {key.column} <= ?", [low, high]
            case PageStrategy.PREFIX:
                return f"{key.column} LIKE ?", [f"{self._digits(passed, self._length)}%"]

    def _after(self, key: PageKey, value: Json, tie: Json) -> tuple[str, list[Json]]:
        if key is PageKey.TIME:
            return "ts >= ? AND (ts > ? OR id > ?)", [value, value, tie]
        return f"{key.column} > ?", [value]

    def _value(self, key: PageKey, passed: float) -> Json:
        """The key after so many rows."""
        match key:
            case PageKey.SEQUENTIAL:
                return int(passed)
            case PageKey.RANDOM:
                return int(passed / self.rows * SPAN)
            case PageKey.TIME:
                return _EPOCH + int(passed) // TIES * 1000
            case PageKey.TEXT:
                return self._digits(passed, _DIGITS)

    def _bound(self, key: PageKey, passed: float) -> Json:
        """The same, as a window is bounded: the first begins below every value, the last ends above."""
        if key is PageKey.TIME and not passed:
            return _EPOCH - 1
        if passed < self.rows:
            return self._value(key, passed)
        return "g" if key is PageKey.TEXT else self._value(key, self.rows)

    def _digits(self, passed: float, length: int) -> str:
        return f"{min(int(passed / self.rows * 16**length + _ROUNDING), 16**length - 1):0{length}x}"

    @property
    def _room(self) -> int:
        """Rows that a window aims at."""
        return max(1, int(self.page - _SIGMAS * sqrt(self.page)))

    @property
    def _length(self) -> int:
        """Digits of a prefix: the fewest with which it holds no more than a page, and room to spare."""
        length = 1
        while self.rows / 16**length > self._room:
            length += 1
        return length
