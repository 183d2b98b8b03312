"""Slices and walks return every row exactly once, for random rows in CrateDB and SQLite."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.access import SourceAccess
from indexer.job.slices import slice_table
from indexer.model.json import Row
from indexer.model.paging.walk import walk_through
from indexer.model.paging.window import PrefixCount
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor, load_rows, quoted_table
from indexer.settings import Strategy
from indexer.source.cratedb import CrateSource
from indexer.source.protocol import Source
from indexer.source.sqlalchemy import SqlAlchemySource

SMALLEST, LARGEST = -(2**63) + 1, 2**63 - 2
"""The BIGINT values that CrateDB can store: it reserves the extreme one at either end."""

ODD = [
    "a",
    "%",
    "_",
    "\\",
    "'",
    "\n",
    "é",
    "\u0301",
    "한",
    "ᄒ",
    "\ud7ff",
    "\ue000",
    "\uff01",
    "😀",
    "😁",
    "\U0010ffff",
]

Value = int | str | None
Drawn = tuple[Value, ...]
Insert = Callable[[Sequence[Drawn]], None]


@dataclass(frozen=True)
class Kind:
    """A table with one kind of key; its first `unique` columns identify a row."""

    name: str
    definition: str
    columns: tuple[str, ...]
    unique: int
    rows: st.SearchStrategy[list[Drawn]]
    keys: tuple[tuple[str, ...], ...] = ((),)

    def __str__(self) -> str:
        return self.name


def distinct(unique: int, *values: st.SearchStrategy[Value]) -> st.SearchStrategy[list[Drawn]]:
    return st.lists(st.tuples(*values), max_size=60, unique_by=lambda row: row[:unique])


# Values close to one another, to zero and to the limits are the easiest to confuse.
integers = st.integers(-9, 9) | st.integers(SMALLEST, LARGEST) | st.sampled_from([SMALLEST, LARGEST, -(2**53), 2**53])
texts = st.text(st.sampled_from(ODD) | st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["", "%_\\", "\\%"])
moments = st.none() | st.sampled_from([-1, 0, 1_700_000_000_123]) | st.integers(-(10**12), 10**13)
few = st.integers(-2, 2)

KINDS = [
    Kind("bigint", "(k BIGINT PRIMARY KEY)", ("k",), 1, distinct(1, integers)),
    Kind("text", "(k TEXT PRIMARY KEY)", ("k",), 1, distinct(1, texts)),
    Kind("timestamp", "(id TEXT PRIMARY KEY, ts TIMESTAMP)", ("id", "ts"), 1, distinct(1, texts, moments), (("ts",),)),
    Kind(
        "composite",
        "(host TEXT, n BIGINT, s SMALLINT, PRIMARY KEY (host, n, s))",
        ("host", "n", "s"),
        3,
        distinct(3, st.sampled_from(["", "a", "한", "😀", "%"]), few | integers, few),
        ((), ("n",), ("s",), ("host",)),
    ),
]


def each_row_once(source: Source, table: TableName, kind: Kind, rows: Sequence[Drawn], *, limit: int) -> None:
    """Read a table as a job does, once by each of its keys."""
    described = source.describe(table)
    for key in kind.keys:
        selection = select(described, choose_key(described, key))
        lead, ties = selection.position(selection.key.column), selection.tiebreaker_positions
        slices = slice_table(source, selection, Strategy.WINDOW, limit)
        reader = source.reader(selection)
        taken: list[Row] = []
        for part in slices:
            way = walk_through(part.window, key_column=lead, tiebreakers=ties, limit=limit, rows=part.rows)
            while (question := way.next_request()) is not None:
                if isinstance(question, PrefixCount):
                    way.learn_counts(reader.count_prefixes(question))
                else:
                    taken += way.take(reader.page(question).rows)
        reader.close()
        assert sum(part.rows for part in slices) == len(rows)
        assert Counter(tuple(row[: kind.unique]) for row in taken) == Counter(row[: kind.unique] for row in rows)


def check(kind: Kind, source: Source, table: TableName, put: Insert) -> None:
    """Draw rows, replace the contents of the table with them, and read it."""

    @settings(
        max_examples=12,
        derandomize=True,  # builds must not fail by chance
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(rows=kind.rows, limit=st.integers(2, 9))
    def example(rows: list[Drawn], limit: int) -> None:
        put(rows)
        each_row_once(source, table, kind, rows, limit=limit)

    example()


@pytest.fixture
def crate_source(cratedb_url: str) -> Iterator[CrateSource]:
    source = CrateSource(SourceAccess(url=cratedb_url))
    yield source
    source.close()


@pytest.mark.cratedb
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_row_of_cratedb_is_read_once(
    kind: Kind, crate_source: CrateSource, crate_cursor: Cursor, schema: str
) -> None:
    table = TableName(kind.name, schema)
    crate_cursor.execute(f"CREATE TABLE {quoted_table(table)} {kind.definition} CLUSTERED INTO 2 SHARDS")

    def put(rows: Sequence[Drawn]) -> None:
        crate_cursor.execute(f"DELETE FROM {quoted_table(table)}")
        assert load_rows(crate_cursor, table, kind.columns, rows) == len(rows)

    check(kind, crate_source, table, put)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "rows.db", isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def sqlite_source(database: sqlite3.Connection, tmp_path: Path) -> Iterator[SqlAlchemySource]:
    database.execute("PRAGMA journal_mode = MEMORY")  # creates the file
    database.execute("CREATE TABLE made (n INTEGER)")
    source = SqlAlchemySource(SourceAccess(url=f"sqlite:///{tmp_path}/rows.db"))
    yield source
    source.close()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_row_of_sqlite_is_read_once(
    kind: Kind, sqlite_source: SqlAlchemySource, database: sqlite3.Connection
) -> None:
    database.execute(f"CREATE TABLE rows_ {kind.definition}")
    for column in kind.columns:
        database.execute(f"CREATE INDEX by_{column} ON rows_ ({column})")
    timestamp = kind.columns.index("ts") if "ts" in kind.columns else None

    def put(rows: Sequence[Drawn]) -> None:
        database.execute("DELETE FROM rows_")
        marks = ", ".join("?" for _ in kind.columns)
        written = [tuple(_text(v) if place == timestamp else v for place, v in enumerate(row)) for row in rows]
        database.executemany(f"INSERT INTO rows_ VALUES ({marks})", written)

    check(kind, sqlite_source, TableName("rows_"), put)


def _text(moment: Value) -> str | None:
    """A timestamp in the format of SQLite."""
    if moment is None:
        return None
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(moment)):%Y-%m-%d %H:%M:%S.%f}"
