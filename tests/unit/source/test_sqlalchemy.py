"""The SQLAlchemy source, tested with SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.access import SourceAccess
from indexer.errors import SourceError, SourceUnavailable, UsageError
from indexer.job.slices import slice_table
from indexer.model.json import Row
from indexer.model.paging.walk import walk_through
from indexer.model.paging.window import Offset, PageRequest, PrefixCount, Range
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import ColumnKind, TableName
from indexer.settings import Strategy
from indexer.source.protocol import Bounds
from indexer.source.sqlalchemy import SqlAlchemySource

EVERY_TYPE = """
    CREATE TABLE "Every" (
        id INTEGER PRIMARY KEY, small SMALLINT NOT NULL, big BIGINT, name VARCHAR(20), code CHAR(4), flag BOOLEAN,
        price NUMERIC(20, 5), ratio FLOAT, seen TIMESTAMP, day DATE, attrs JSON, raw BLOB, "Odd ""Q"" %(x)s :y" TEXT
    )
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "logs.db"


@pytest.fixture
def database(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def source(database: sqlite3.Connection, file: Path) -> Iterator[SqlAlchemySource]:
    database.execute("CREATE TABLE logs (id INTEGER PRIMARY KEY, ts TIMESTAMP, host TEXT)")
    database.execute("CREATE INDEX logs_ts ON logs (ts)")
    database.execute("CREATE INDEX logs_host ON logs (host)")
    database.executemany(
        "INSERT INTO logs VALUES (?, ?, ?)",
        [
            (
                n * 3 - 150,
                None if n % 7 == 0 else f"2024-01-0{1 + n % 9} 10:00:00{'.000000' if n % 2 else ''}",
                None if n % 5 == 0 else f"h{n % 4}😀",
            )
            for n in range(300)
        ],
    )
    source = SqlAlchemySource(SourceAccess(url=f"sqlite:///{file}"))
    yield source
    source.close()


def selection_of(source: SqlAlchemySource, *key: str, where: str | None = None) -> Selection:
    table = source.describe(TableName("logs"))
    return select(table, choose_key(table, key), where=where)


def test_a_table_is_described(source: SqlAlchemySource, database: sqlite3.Connection) -> None:
    database.execute(EVERY_TYPE)
    table = source.describe(TableName("Every"))
    assert {column.name: column.type.kind for column in table.columns} == {
        "id": ColumnKind.BIGINT,
        "small": ColumnKind.SMALLINT,
        "big": ColumnKind.BIGINT,
        "name": ColumnKind.TEXT,
        "code": ColumnKind.CHAR,
        "flag": ColumnKind.BOOLEAN,
        "price": ColumnKind.NUMERIC,
        "ratio": ColumnKind.DOUBLE,
        "seen": ColumnKind.TIMESTAMP,
        "day": ColumnKind.DATE,
        "attrs": ColumnKind.JSON,
        "raw": ColumnKind.BYTES,
        'Odd "Q" %(x)s :y': ColumnKind.TEXT,
    }
    assert table.primary_key == ("id",)
    assert [column.name for column in table.columns if not column.nullable] == ["id", "small"]
    assert (table.row_id, table.shards, table.rows) == (None, None, 0)
    assert table.version == f"SQLite {sqlite3.sqlite_version}"


def test_a_page_has_python_values_and_numeric_as_text(source: SqlAlchemySource, database: sqlite3.Connection) -> None:
    database.execute(EVERY_TYPE)
    database.execute(
        "INSERT INTO \"Every\" VALUES (1, 2, 3, 'n', 'c', 1, '1.5', 0.5, '2024-01-02 03:04:05',"
        " '2024-01-02', '{\"a\": [1]}', x'00ff', 'odd')"
    )
    table = source.describe(TableName("Every"))
    reader = source.reader(select(table, choose_key(table)))
    page = reader.page(PageRequest(Range(0, 10), 10))
    assert [list(row) for row in page.rows] == [
        [
            1, 2, 3, "n", "c", True, "1.5", 0.5,
            datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None),
            datetime(2024, 1, 2, tzinfo=UTC).date(),
            {"a": [1]}, b"\x00\xff", "odd",
        ]
    ]  # fmt: skip
    assert 50 < page.size < 200
    reader.close()


def cover(source: SqlAlchemySource, selection: Selection, strategy: Strategy, limit: int) -> list[Row]:
    taken: list[Row] = []
    reader = source.reader(selection)
    for part in slice_table(source, selection, strategy, limit):
        lead = selection.position(selection.key.column)
        way = walk_through(
            part.window, key_column=lead, tiebreakers=selection.tiebreaker_positions, limit=limit, rows=part.rows
        )
        while (question := way.next_request()) is not None:
            assert not isinstance(question, PrefixCount)
            taken += way.take(reader.page(question).rows)
    reader.close()
    return taken


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("key", ["id", "ts", "host"])
@pytest.mark.parametrize("limit", [3, 100])
def test_every_row_is_read_exactly_once(source: SqlAlchemySource, key: str, strategy: Strategy, limit: int) -> None:
    taken = cover(source, selection_of(source, key), strategy, limit)
    assert sorted(int(str(row[0])) for row in taken) == [n * 3 - 150 for n in range(300)]


def test_only_integers_have_flat_windows(source: SqlAlchemySource) -> None:
    table = source.describe(TableName("logs"))
    assert [source.has_flat_windows(column) for column in table.columns] == [True, False, False]


def test_counts_respect_the_where_condition(source: SqlAlchemySource) -> None:
    selection = selection_of(source, "id", where="id % 2 = 0 AND host LIKE 'h2%' -- even")
    rows = [n * 3 - 150 for n in range(300) if n % 2 == 0 and n % 5 and n % 4 == 2]
    assert source.bounds(selection) == Bounds(len(rows), 0, rows[0], rows[-1])
    assert source.bounds(selection_of(source, "ts")) == Bounds(300, 43, None, None)
    assert sum(bar.rows for bar in source.bins(selection_of(source, "id"), 100)) == 300


@pytest.mark.parametrize("condition", ["id >", "nope = 1", "1 = 1) OR (1 = 1", "id = 1; DROP TABLE logs", ""])
def test_an_invalid_where_condition_is_refused(source: SqlAlchemySource, condition: str) -> None:
    with pytest.raises(UsageError, match="--where"):
        source.bounds(selection_of(source, "id", where=condition))


def test_an_unknown_table_is_refused_and_the_nearest_name_suggested(source: SqlAlchemySource) -> None:
    with pytest.raises(UsageError, match=r"no table lgos\. Did you mean logs\?"):
        source.describe(TableName("lgos"))


def test_a_missing_file_is_refused_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no SQLite file"):
        SqlAlchemySource(SourceAccess(url=f"sqlite:///{tmp_path}/none.db"))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(UsageError, match="not a database"):
        SqlAlchemySource(SourceAccess(url=f"sqlite:///{tmp_path}/text.db")).describe(TableName("logs"))


def test_a_locked_database_is_retryable_and_a_dropped_table_is_not(
    source: SqlAlchemySource, database: sqlite3.Connection, file: Path
) -> None:
    selection = selection_of(source, "id")
    impatient = SqlAlchemySource(SourceAccess(url=f"sqlite:///{file}?timeout=0.1"))
    reader = impatient.reader(selection)
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceUnavailable, match="locked"):
        reader.page(PageRequest(Offset(), 10))
    database.execute("DROP TABLE logs")
    database.execute("COMMIT")
    with pytest.raises(SourceError, match="no such table") as raised:
        reader.page(PageRequest(Offset(), 10))
    assert not raised.value.retryable
    impatient.close()
