"""The SQL of one page by key, strategy and depth: what a person would write by hand. Pure.

The keys of the tables in `narrow` are spread evenly, so the value at any depth is known without asking for it.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

from bench.narrow import COLUMNS, SPAN, TIES
from indexer.model.json import Json, Row
from indexer.model.table.table import TableName

__all__ = ["Key", "Strategy", "Table", "strategies"]

_EPOCH: Final = 1_700_000_000_000
_DIGITS: Final = 12
"""Hexadecimal digits of a text bound: more than tell any two rows apart."""

_ROUNDING: Final = 1e-6
"""Where a prefix begins, a division must not end just below it."""

_SIGMAS: Final = 6
"""A window holds fewer rows than a page by so many standard deviations: random keys are not spread quite evenly, and no
row may be cut off."""


class Key(StrEnum):
    """By what pages advance."""

    SEQUENTIAL = "sequential BIGINT"
    RANDOM = "random BIGINT"
    TIME = "timestamp with ties"
    TEXT = "random text"

    @property
    def column(self) -> str:
        """Its column."""
        return {Key.SEQUENTIAL: "id", Key.RANDOM: "rnd", Key.TIME: "ts", Key.TEXT: "uid"}[self]

    @property
    def order(self) -> str:
        """What ORDER BY needs so that no two rows are equal."""
        return "ts, id" if self is Key.TIME else self.column


class Strategy(StrEnum):
    """How."""

    OFFSET = "offset"
    KEYSET = "keyset"
    WINDOW = "window"
    PREFIX = "prefix window"


def strategies(key: Key) -> tuple[Strategy, ...]:
    """Those that the key allows."""
    return tuple(one for one in Strategy if one is not Strategy.PREFIX or key is Key.TEXT)


@dataclass(frozen=True, slots=True)
class Table:
    """A narrow table, and how it is paged.

    Attributes:
        name: of the table.
        rows: of the table.
        page: rows a page at most.
    """

    name: TableName
    rows: int
    page: int

    def statement(self, key: Key, strategy: Strategy, passed: float) -> tuple[str, list[Json]]:
        """The page after so many rows, and its parameters."""
        where, parameters = self._where(key, strategy, passed)
        condition = f" WHERE {where}" if where else ""
        offset = f" OFFSET {int(passed)}" if strategy is Strategy.OFFSET else ""
        return f"{self._select(condition, key)}{offset}", parameters

    def following(self, key: Key, last: Row) -> tuple[str, list[Json]]:
        """The keyset page after this row."""
        value, tie = last[COLUMNS.index(key.column)], last[COLUMNS.index("id")]
        where, parameters = self._after(key, value, tie)
        return self._select(f" WHERE {where}", key), parameters

    def step(self, strategy: Strategy) -> float:
        """How many rows a page that is not the last passes, as far as one can know."""
        if strategy is Strategy.PREFIX:
            return self.rows / float(16**self._length)
        return self._room if strategy is Strategy.WINDOW else self.page

    def _select(self, condition: str, key: Key) -> str:
        return f"SELECT {', '.join(COLUMNS)} FROM {self.name}{condition} ORDER BY {key.order} LIMIT {self.page}"

    def _where(self, key: Key, strategy: Strategy, passed: float) -> tuple[str, list[Json]]:
        match strategy:
            case Strategy.OFFSET:
                return "", []
            case Strategy.KEYSET:
                return self._after(key, self._value(key, passed), int(passed)) if passed else ("", [])
            case Strategy.WINDOW:
                low, high = (self._bound(key, rank) for rank in (passed, passed + self.step(strategy)))
                return f"{key.column} > ? AND {key.column} <= ?", [low, high]
            case Strategy.PREFIX:
                return f"{key.column} LIKE ?", [f"{self._digits(passed, self._length)}%"]

    def _after(self, key: Key, value: Json, tie: Json) -> tuple[str, list[Json]]:
        if key is Key.TIME:
            return "ts >= ? AND (ts > ? OR id > ?)", [value, value, tie]
        return f"{key.column} > ?", [value]

    def _value(self, key: Key, passed: float) -> Json:
        """The key after so many rows."""
        match key:
            case Key.SEQUENTIAL:
                return int(passed)
            case Key.RANDOM:
                return int(passed / self.rows * SPAN)
            case Key.TIME:
                return _EPOCH + int(passed) // TIES * 1000
            case Key.TEXT:
                return self._digits(passed, _DIGITS)

    def _bound(self, key: Key, passed: float) -> Json:
        """The same, as a window is bounded: the first begins below every value, the last ends above."""
        if key is Key.TIME and not passed:
            return _EPOCH - 1
        if passed < self.rows:
            return self._value(key, passed)
        return "g" if key is Key.TEXT else self._value(key, self.rows)

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
