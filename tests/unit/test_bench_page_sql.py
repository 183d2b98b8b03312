from itertools import pairwise

import pytest

from bench.narrow import COLUMNS, SPAN
from bench.page_sql import Key, Strategy, Table, strategies
from indexer.model.json import Row
from indexer.model.table.table import TableName

TABLE = Table(TableName("t", "bench"), rows=1_000_000, page=10_000)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM bench.t"


def test_only_text_has_prefixes() -> None:
    assert [key for key in Key if Strategy.PREFIX in strategies(key)] == [Key.TEXT]


@pytest.mark.parametrize(
    ("key", "strategy", "sql", "parameters"),
    [
        (Key.SEQUENTIAL, Strategy.OFFSET, "ORDER BY id LIMIT 10000 OFFSET 500000", []),
        (Key.SEQUENTIAL, Strategy.KEYSET, "WHERE id > ? ORDER BY id LIMIT 10000", [500_000]),
        (Key.SEQUENTIAL, Strategy.WINDOW, "WHERE id > ? AND id <= ? ORDER BY id LIMIT 10000", [500_000, 509_400]),
        (Key.RANDOM, Strategy.KEYSET, "WHERE rnd > ? ORDER BY rnd LIMIT 10000", [SPAN // 2]),
        (
            Key.TIME,
            Strategy.KEYSET,
            "WHERE ts >= ? AND (ts > ? OR id > ?) ORDER BY ts, id LIMIT 10000",
            [1_700_010_000_000, 1_700_010_000_000, 500_000],
        ),
        (Key.TEXT, Strategy.KEYSET, "WHERE uid > ? ORDER BY uid LIMIT 10000", ["800000000000"]),
        (Key.TEXT, Strategy.PREFIX, "WHERE uid LIKE ? ORDER BY uid LIMIT 10000", ["80%"]),
    ],
)
def test_a_page_in_the_middle(key: Key, strategy: Strategy, sql: str, parameters: list[object]) -> None:
    assert TABLE.statement(key, strategy, 500_000) == (f"{SELECT} {sql}", parameters)


@pytest.mark.parametrize("key", list(Key))
def test_windows_follow_each_other_without_a_gap_and_reach_beyond_both_ends(key: Key) -> None:
    step, bounds = TABLE.step(Strategy.WINDOW), []
    number = 0
    while number * step < TABLE.rows:
        bounds.append(TABLE.statement(key, Strategy.WINDOW, number * step)[1])
        number += 1
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    assert bounds[-1][1] in {1_000_000, SPAN, 1_700_000_000_000 + 20_000_000, "g"}


@pytest.mark.parametrize("rows", [1_000, 20_000, 1_000_000, 7_654_321])
def test_every_prefix_is_asked_for_once(rows: int) -> None:
    table = Table(TABLE.name, rows, page=1_000)
    step = table.step(Strategy.PREFIX)
    assert step <= 1_000
    count = round(rows / step)
    asked = [table.statement(Key.TEXT, Strategy.PREFIX, number * step)[1][0] for number in range(count)]
    length = len(str(asked[0])) - 1
    assert asked == [f"{number:0{length}x}%" for number in range(16**length)]


def test_the_page_after_a_row_begins_after_it() -> None:
    row: Row = [7, 1_700_000_000_000, 42, "abc", "INFO", "host-1", 0.5]
    assert TABLE.following(Key.TIME, row)[1] == [1_700_000_000_000, 1_700_000_000_000, 7]
    assert TABLE.following(Key.TEXT, row)[1] == ["abc"]
