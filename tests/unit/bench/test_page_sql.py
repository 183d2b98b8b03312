from itertools import pairwise

import pytest

from bench.scenarios.page_sql import NarrowTable, PageKey, PageStrategy, strategies
from bench.scenarios.tables import NARROW_COLUMNS, SPAN
from indexer.model.table.table import TableName

TABLE = NarrowTable(TableName("t", "bench"), rows=1_000_000, page=10_000)
SELECT = f"SELECT {', '.join(NARROW_COLUMNS)} FROM bench.t"


def test_only_text_has_prefixes() -> None:
    assert [key for key in PageKey if PageStrategy.PREFIX in strategies(key)] == [PageKey.TEXT]


@pytest.mark.parametrize(
    ("key", "strategy", "sql", "parameters"),
    [
        (PageKey.SEQUENTIAL, PageStrategy.OFFSET, "ORDER BY id LIMIT 10000 OFFSET 500000", []),
        (PageKey.SEQUENTIAL, PageStrategy.KEYSET, "WHERE id > ? ORDER BY id LIMIT 10000", [500_000]),
        (
            PageKey.SEQUENTIAL,
            PageStrategy.WINDOW,
            "WHERE id > ? AND id <= ? ORDER BY id LIMIT 10000",
            [500_000, 509_400],
        ),
        (PageKey.RANDOM, PageStrategy.KEYSET, "WHERE rnd > ? ORDER BY rnd LIMIT 10000", [SPAN // 2]),
        (
            PageKey.TIME,
            PageStrategy.KEYSET,
            "WHERE ts >= ? AND (ts > ? OR id > ?) ORDER BY ts, id LIMIT 10000",
            [1_700_010_000_000, 1_700_010_000_000, 500_000],
        ),
        (PageKey.TEXT, PageStrategy.KEYSET, "WHERE uid > ? ORDER BY uid LIMIT 10000", ["800000000000"]),
        (PageKey.TEXT, PageStrategy.PREFIX, "WHERE uid LIKE ? ORDER BY uid LIMIT 10000", ["80%"]),
    ],
)
def test_a_page_in_the_middle(key: PageKey, strategy: PageStrategy, sql: str, parameters: list[object]) -> None:
    assert TABLE.statement(key, strategy, 500_000) == (f"{SELECT} {sql}", parameters)


@pytest.mark.parametrize("key", list(PageKey))
def test_windows_follow_each_other_without_a_gap_and_reach_beyond_both_ends(key: PageKey) -> None:
    step, bounds = TABLE.step(PageStrategy.WINDOW), []
    number = 0
    while number * step < TABLE.rows:
        bounds.append(TABLE.statement(key, PageStrategy.WINDOW, number * step)[1])
        number += 1
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    assert bounds[-1][1] in {1_000_000, SPAN, 1_700_000_000_000 + 20_000_000, "g"}


@pytest.mark.parametrize("rows", [1_000, 20_000, 1_000_000, 7_654_321])
def test_every_prefix_is_asked_for_once(rows: int) -> None:
    table = NarrowTable(TABLE.name, rows, page=1_000)
    step = table.step(PageStrategy.PREFIX)
    assert step <= 1_000
    count = round(rows / step)
    asked = [table.statement(PageKey.TEXT, PageStrategy.PREFIX, number * step)[1][0] for number in range(count)]
    length = len(str(asked[0])) - 1
    assert asked == [f"{number:0{length}x}%" for number in range(16**length)]
