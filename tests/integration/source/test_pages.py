"""The walks and slices of a job return every row of a real CrateDB table exactly once, for every kind of key."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

import pytest

from indexer.access import SourceAccess
from indexer.job.slices import slice_table
from indexer.model.json import Json, Row
from indexer.model.paging.walk import walk_through
from indexer.model.paging.window import (
    Keyset,
    Offset,
    PageRequest,
    Prefix,
    PrefixCount,
    Prefixes,
    Range,
    TieGroup,
    Window,
)
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor, load_rows, quoted_table
from indexer.settings import Strategy
from indexer.source.cratedb import CrateSource

pytestmark = pytest.mark.cratedb

LARGEST = 2**63 - 2
SMALLEST = -(2**63) + 1
"""The limits of BIGINT in CrateDB, which reserves the extreme value at either end."""

CHARACTERS = [
    "a",
    "b",
    "Z",
    "0",
    "%",
    "_",
    "\\",
    "'",
    '"',
    " ",
    "\n",
    "é",
    "한",
    "\uff01",
    "\ud7ff",
    "😀",
    "😁",
    "\U0010ffff",
]


class Fill(Protocol):
    def __call__(
        self, definition: str, columns: Sequence[str], rows: Sequence[Sequence[object]], name: str = "t"
    ) -> TableName: ...


@pytest.fixture
def source(cratedb_url: str) -> Iterator[CrateSource]:
    source = CrateSource(SourceAccess(url=cratedb_url))
    yield source
    source.close()


@pytest.fixture
def fill(crate_cursor: Cursor, schema: str) -> Fill:
    """Create a table of four shards and put rows into it."""

    def fill(definition: str, columns: Sequence[str], rows: Sequence[Sequence[object]], name: str = "t") -> TableName:
        table = TableName(name, schema)
        crate_cursor.execute(f"CREATE TABLE {quoted_table(table)} {definition}")
        assert load_rows(crate_cursor, table, columns, rows) == len(rows)
        return table

    return fill


def read(source: CrateSource, selection: Selection, window: Window, limit: int, rows: int = 0) -> list[Row]:
    """Walk one window to its end."""
    reader = source.reader(selection)
    way = walk_through(
        window,
        key_column=selection.position(selection.key.column),
        tiebreakers=selection.tiebreaker_positions,
        limit=limit,
        rows=rows,
    )
    taken: list[Row] = []
    while (question := way.next_request()) is not None:
        if isinstance(question, PrefixCount):
            way.learn_counts(reader.count_prefixes(question))
        else:
            page = reader.page(question)
            assert len(page.rows) <= limit
            taken += way.take(page.rows)
    reader.close()
    return taken


def cover(
    source: CrateSource,
    table: TableName,
    key: tuple[str, ...] = (),
    limit: int = 7,
    strategy: Strategy = Strategy.WINDOW,
) -> list[Row]:
    """Read a table as a job does: slices from one histogram, each walked to its end."""
    described = source.describe(table)
    selection = select(described, choose_key(described, key))
    slices = slice_table(source, selection, strategy, limit)
    assert sum(part.rows for part in slices) == described.rows
    return [row for part in slices for row in read(source, selection, part.window, limit, part.rows)]


def each_once(taken: Sequence[Row], rows: Sequence[Sequence[object]], why: object = "") -> None:
    """Assert that both have the same rows once; the first column is unique."""
    assert sorted(repr(row[0]) for row in taken) == sorted(repr(row[0]) for row in rows), why


def each_once_by_any_strategy(
    source: CrateSource,
    table: TableName,
    rows: Sequence[Sequence[object]],
    key: tuple[str, ...] = (),
    limit: int = 7,
) -> None:
    """Read one table with all strategies, because creating it takes longer than reading it."""
    for strategy in Strategy:
        each_once(cover(source, table, key, limit, strategy), rows, (strategy, key))


def texts(count: int) -> list[str]:
    dice = random.Random(7)  # reproducible
    found = {"", "a", "a%", "a_", "a\\", "%", "_", "\\", "%_\\", "\\%", "null", "😀", "😀😁", "\uff01", "x" * 300}
    while len(found) < count:
        found.add("".join(dice.choices(CHARACTERS, k=dice.randint(1, 6))))
    return sorted(found)


@pytest.mark.parametrize("limit", [2, 7, 1000])
def test_unicode_text_keys_are_covered(source: CrateSource, fill: Fill, limit: int) -> None:
    rows = [[text] for text in texts(120 if limit == 2 else 400)]
    table = fill("(k TEXT PRIMARY KEY) CLUSTERED INTO 4 SHARDS", ["k"], rows)
    each_once_by_any_strategy(source, table, rows, limit=limit)


def test_more_ties_of_a_text_key_than_a_page_are_covered(source: CrateSource, fill: Fill) -> None:
    dice = random.Random(8)  # as above
    words = ["", "error", "err%", "err_", "err\\", "😀", "\uff01", None]
    rows = [[id_, dice.choice(words)] for id_ in texts(300)]
    table = fill("(id TEXT PRIMARY KEY, word TEXT) CLUSTERED INTO 4 SHARDS", ["id", "word"], rows)
    each_once_by_any_strategy(source, table, rows, ("word",))


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("SMALLINT", [-(2**15), -(2**15) + 1, -1, 0, 1, 2**15 - 1]),
        ("INTEGER", [-(2**31), -(2**31) + 1, -1, 0, 1, 2**31 - 1]),
        ("BIGINT", [SMALLEST, SMALLEST + 1, -1, 0, 1, LARGEST - 1, LARGEST]),
        ("TIMESTAMP WITH TIME ZONE", [SMALLEST, -1, 0, 1_700_000_000_123, LARGEST]),
    ],
)
def test_the_limits_of_each_number_type_are_covered(
    source: CrateSource, fill: Fill, type_: str, values: list[int]
) -> None:
    rows = [[value] for value in values]
    table = fill(f"(k {type_} PRIMARY KEY) CLUSTERED INTO 4 SHARDS", ["k"], rows)
    each_once_by_any_strategy(source, table, rows, limit=2)


@pytest.mark.parametrize(
    ("id_type", "id_of"),
    [
        ("BIGINT", lambda number: number - 150),
        ("TEXT", lambda number: texts(300)[number]),
        ("UUID", lambda number: str(UUID(int=random.Random(number).getrandbits(128)))),
        ("CHAR(6)", lambda number: f"{number:x}".ljust(6)),
    ],
)
def test_timestamp_ties_and_nulls_are_paged_by_the_primary_key(
    source: CrateSource, fill: Fill, id_type: str, id_of: Callable[[int], Json]
) -> None:
    rows = [[id_of(number), None if number % 5 == 0 else number // 60 * 1000 - 3000] for number in range(300)]
    definition = f"(id {id_type} PRIMARY KEY, ts TIMESTAMP) CLUSTERED INTO 4 SHARDS"
    table = fill(definition, ["id", "ts"], rows)
    each_once_by_any_strategy(source, table, rows, ("ts",))


def test_ties_and_nulls_without_a_primary_key_are_paged_by_the_row_id(source: CrateSource, fill: Fill) -> None:
    rows = [[number, None if number % 5 == 0 else number // 100] for number in range(400)]
    table = fill("(n INTEGER INDEX OFF, ts TIMESTAMP) CLUSTERED INTO 4 SHARDS", ["n", "ts"], rows)
    for strategy in Strategy:
        taken = cover(source, table, strategy=strategy)
        each_once(taken, rows, strategy)
        assert len({row[-1] for row in taken}) == len(rows)


def test_partly_null_id_columns_are_covered(source: CrateSource, fill: Fill) -> None:
    hosts, numbers, flags = [None, "", "null", "a", "😀"], [None, -(2**31), 0, 2**31 - 1], [None, True, False]
    kinds = [(host, number, flag) for host in hosts for number in numbers for flag in flags]
    rows = [[place, 0, *kind] for place, kind in enumerate(kinds)]
    definition = "(n INTEGER, ts TIMESTAMP, host TEXT, number INTEGER, flag BOOLEAN) CLUSTERED INTO 4 SHARDS"
    table = source.describe(fill(definition, ["n", "ts", "host", "number", "flag"], rows))
    selection = select(table, choose_key(table, ("ts",)), id_columns=("host", "number", "flag"))
    for strategy in Strategy:
        slices = slice_table(source, selection, strategy, 7)
        each_once([row for part in slices for row in read(source, selection, part.window, 7)], rows, strategy)


def test_ties_at_the_largest_integer_are_covered(source: CrateSource, fill: Fill) -> None:
    rows = [[2**31 - 1 - n, 2**15 - 1 - n % 2, 0] for n in range(30)]
    definition = "(i INTEGER, s SMALLINT, ts TIMESTAMP, PRIMARY KEY (i, s)) CLUSTERED INTO 4 SHARDS"
    table = fill(definition, ["i", "s", "ts"], rows)
    for key in (("ts", "i"), ("ts", "s"), ("i",), ("s",)):
        each_once_by_any_strategy(source, table, rows, key, limit=3)


def test_a_composite_primary_key_of_a_partitioned_table_is_covered(source: CrateSource, fill: Fill) -> None:
    rows = [
        [f"{host}/{day}/{seq}", host, day * 86_400_000, seq]
        for host in ("h", "é", "😀")
        for day in range(4)
        for seq in range(25)
    ]
    definition = (
        "(n TEXT, host TEXT, day TIMESTAMP, seq INTEGER, PRIMARY KEY (host, day, seq))"
        " PARTITIONED BY (day) CLUSTERED BY (host) INTO 2 SHARDS"
    )
    table = fill(definition, ["n", "host", "day", "seq"], rows)
    for key in ((), ("day",), ("seq",), ("host",)):
        each_once_by_any_strategy(source, table, rows, key)


def test_a_key_in_a_nested_object_is_covered(source: CrateSource, fill: Fill) -> None:
    rows = [[n, {"A b": {"c": n % 40 - 20, "q'q": f"t{n % 9}", "%(lo)s": n}}] for n in range(200)]
    definition = (
        """(n INTEGER PRIMARY KEY, o OBJECT AS ("A b" OBJECT AS (c INTEGER, "q'q" TEXT, "%(lo)s" BIGINT)))"""
        " CLUSTERED INTO 4 SHARDS"
    )
    table = fill(definition, ["n", "o"], rows)
    for key in ("o.A b.c", "o.A b.q'q", "o.A b.%(lo)s"):
        each_once_by_any_strategy(source, table, rows, (key,))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("MyTable", "MyColumn"),
        ("select", "from"),
        ("표", "한글"),
        ("per%cent", "%s %% per%cent"),
        ("d-ash", ":lo"),
        ("table", 'a "quoted" name'),
        ("doubled%%", "back\\slash's $1"),
    ],
)
def test_tables_and_columns_with_unusual_names_are_covered(
    source: CrateSource, fill: Fill, name: str, column: str
) -> None:
    column = column.replace('"', '""')
    rows = [[n] for n in range(40)]
    table = fill(f'("{column}" BIGINT PRIMARY KEY)', [column], rows, name)
    each_once(cover(source, table), rows)


def test_a_view_with_a_unique_id_is_covered(source: CrateSource, fill: Fill, crate_cursor: Cursor, schema: str) -> None:
    rows = [[n, n // 50] for n in range(200)]
    table = fill("(id INTEGER PRIMARY KEY, ts TIMESTAMP)", ["id", "ts"], rows)
    crate_cursor.execute(f'CREATE VIEW "{schema}".v AS SELECT * FROM {quoted_table(table)}')
    try:
        view = source.describe(TableName("v", schema))
        selection = select(view, choose_key(view, ("ts",)), id_columns=("id",))
        slices = slice_table(source, selection, Strategy.WINDOW, 7)
        taken = [row for part in slices for row in read(source, selection, part.window, 7)]
    finally:
        crate_cursor.execute(f'DROP VIEW "{schema}".v')
    each_once(taken, rows)


def test_the_remaining_windows_of_a_walk_continue_where_it_stopped(source: CrateSource, fill: Fill) -> None:
    rows = [[n, n // 90] for n in range(400)]
    table = fill("(id INTEGER PRIMARY KEY, ts TIMESTAMP) CLUSTERED INTO 4 SHARDS", ["id", "ts"], rows)
    described = source.describe(table)
    selection = select(described, choose_key(described, ("ts",)))
    lead, ties = selection.position(selection.key.column), selection.tiebreaker_positions
    todo: list[Window] = [Range(-1, 10)]
    taken: list[Row] = []
    reader = source.reader(selection)
    while todo:
        way = walk_through(todo.pop(), key_column=lead, tiebreakers=ties, limit=20)
        question = way.next_request()
        assert not isinstance(question, PrefixCount)
        if question is not None:
            taken += way.take(reader.page(question).rows)
            todo += way.remaining()
    reader.close()
    each_once(taken, rows)


WINDOWS: list[tuple[Window, set[int | None]]] = [
    (Range(-(2**63) - 1, 5), {-5, 0, 5}),
    (Range(-(2**63), 5), {-5, 0, 5}),
    (Range(-5, 0), {0}),
    (Range(5, 2**63 - 1), set()),
    (TieGroup(5), {5}),
    (TieGroup(None), {None}),
    (Keyset(), {-5, 0, 5}),
    (Keyset((0, 2)), {5}),
    (Offset(), {None, -5, 0, 5}),
    (Offset(3), {None}),
]


def test_each_window_returns_exactly_its_rows(source: CrateSource, fill: Fill) -> None:
    table = fill("(id INTEGER PRIMARY KEY, k BIGINT)", ["id", "k"], [[1, -5], [2, 0], [3, 5], [4, None]])
    described = source.describe(table)
    reader = source.reader(select(described, choose_key(described, ("k",))))
    for window, expected in WINDOWS:
        assert {row[1] for row in reader.page(PageRequest(window, 10)).rows} == expected, window
    reader.close()


def test_one_page_may_have_128_prefixes(source: CrateSource, fill: Fill) -> None:
    rows = [[text] for text in texts(400)]
    table = fill("(k TEXT PRIMARY KEY) CLUSTERED INTO 4 SHARDS", ["k"], rows)
    described = source.describe(table)
    reader = source.reader(select(described, choose_key(described)))
    some = [str(row[0]) for row in rows[::3]][:64]
    prefixes = (*(Prefix(text[:2]) for text in some), *(Prefix(text, exact=True) for text in some))
    taken = reader.page(PageRequest(Prefixes(prefixes), 1000)).rows
    expected = {row[0] for row in rows if str(row[0]).startswith(tuple(text[:2] for text in some)) or row[0] in some}
    assert {row[0] for row in taken} == expected
    reader.close()
