"""Sample logs and loghub files: all rows are loaded, once, and never over another table."""

import csv
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.errors import UsageError
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor, quoted_table
from indexer.sandbox.loghub import SYSTEMS, load_system
from indexer.sandbox.sample_logs import SampleRow, sample_rows, start_for
from indexer.sandbox.sample_table import FRESH, load_cratedb_sample, load_sqlite_sample

LOGHUB = Path(os.environ.get("INDEXER_LOGHUB") or Path(__file__).parents[4] / "shared" / "data" / "loghub")

END = datetime(2026, 11, 22, 19, tzinfo=UTC)


@pytest.fixture
def table(schema: str) -> TableName:
    return TableName("Logs", schema)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "samples.sqlite"


def expected(count: int, end: datetime = END) -> list[tuple[object, ...]]:
    return [tuple(row) for row in sample_rows(count, start=start_for(count, end))]


def in_crate(cursor: Cursor, table: TableName) -> list[tuple[object, ...]]:
    cursor.execute(f"REFRESH TABLE {quoted_table(table)}")
    cursor.execute(f"SELECT {', '.join(SampleRow._fields)} FROM {quoted_table(table)} ORDER BY id")
    return [tuple(row) for row in cursor.fetchall()]


def rounded(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The rows as CrateDB returns them: it stores coordinates to about 1e-7 of a degree."""
    return [(*row[:-1], [round(part, 5) for part in row[-1]] if isinstance(row[-1], list) else None) for row in rows]


@pytest.mark.cratedb
def test_cratedb_holds_the_rows_and_a_second_load_writes_none(crate_cursor: Cursor, table: TableName) -> None:
    assert load_cratedb_sample(crate_cursor, 7_000, table, END) == 7_000
    assert rounded(in_crate(crate_cursor, table)) == rounded(expected(7_000))
    assert load_cratedb_sample(crate_cursor, 7_000, table, END + FRESH / 2) == 0
    assert rounded(in_crate(crate_cursor, table)) == rounded(expected(7_000))


@pytest.mark.cratedb
def test_rows_that_are_too_old_are_loaded_again_without_duplicates(crate_cursor: Cursor, table: TableName) -> None:
    load_cratedb_sample(crate_cursor, 700, table, END)
    late = END + timedelta(days=1)
    assert load_cratedb_sample(crate_cursor, 700, table, late) == 700
    assert rounded(in_crate(crate_cursor, table)) == rounded(expected(700, late))


@pytest.mark.cratedb
def test_timestamps_end_now_by_default(crate_cursor: Cursor, table: TableName) -> None:
    load_cratedb_sample(crate_cursor, 700, table)
    crate_cursor.execute(f"SELECT max(ts)::BIGINT FROM {quoted_table(table)}")
    newest = int(str(crate_cursor.fetchall()[0][0]))
    assert abs(datetime.now(UTC).timestamp() * 1000 - newest) < 60_000


@pytest.mark.cratedb
def test_an_interrupted_load_is_completed(crate_cursor: Cursor, table: TableName) -> None:
    load_cratedb_sample(crate_cursor, 1_000, table, END)
    crate_cursor.execute(f"DELETE FROM {quoted_table(table)} WHERE id IN (50, 700)")
    assert load_cratedb_sample(crate_cursor, 1_500, table, END) == 1_500
    assert rounded(in_crate(crate_cursor, table)) == rounded(expected(1_500))


@pytest.mark.cratedb
def test_rows_that_a_user_added_stay(crate_cursor: Cursor, table: TableName) -> None:
    load_cratedb_sample(crate_cursor, 300, table, END)
    crate_cursor.execute(f"INSERT INTO {quoted_table(table)} (id, ts, message) VALUES (301, 0, 'mine')")
    load_cratedb_sample(crate_cursor, 300, table, END + timedelta(days=1))
    assert [row[8] for row in in_crate(crate_cursor, table)][300:] == ["mine"]


@pytest.mark.cratedb
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET trace_id = 'mine' WHERE id = 3",
        "DELETE FROM {table} WHERE id <= 200",
        "ALTER TABLE {table} ADD COLUMN mine TEXT",
    ],
)
def test_another_table_of_that_name_is_left_alone(crate_cursor: Cursor, table: TableName, statement: str) -> None:
    load_cratedb_sample(crate_cursor, 300, table)
    crate_cursor.execute(statement.format(table=quoted_table(table)))
    before = in_crate(crate_cursor, table)
    with pytest.raises(UsageError, match=rf"{table} contains other rows than the sample logs"):
        load_cratedb_sample(crate_cursor, 300, table)
    assert in_crate(crate_cursor, table) == before


def test_sqlite_holds_the_rows_and_a_second_load_writes_none(file: Path) -> None:
    assert load_sqlite_sample(file, 12_000, END) == 12_000
    assert load_sqlite_sample(file, 12_000, END + FRESH / 2) == 0
    assert in_sqlite(file) == expected(12_000)


def test_rows_of_sqlite_that_are_too_old_are_loaded_again(file: Path) -> None:
    load_sqlite_sample(file, 1_000, END)
    late = END + timedelta(days=1)
    assert load_sqlite_sample(file, 1_000, late) == 1_000
    assert in_sqlite(file) == expected(1_000, late)


def test_an_interrupted_load_into_sqlite_is_completed(file: Path) -> None:
    load_sqlite_sample(file, 1_000, END)
    with_statement(file, "DELETE FROM logs WHERE id IN (50, 700)")
    assert load_sqlite_sample(file, 1_200, END) == 1_200
    assert in_sqlite(file) == expected(1_200)


@pytest.mark.parametrize("statement", ["UPDATE logs SET trace_id = 'mine'", "ALTER TABLE logs ADD COLUMN mine"])
def test_another_sqlite_table_is_left_alone(file: Path, statement: str) -> None:
    load_sqlite_sample(file, 10)
    with_statement(file, statement)
    with pytest.raises(UsageError, match="logs contains other rows than the sample logs"):
        load_sqlite_sample(file, 10)


@pytest.mark.cratedb
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_loghub_table_holds_the_lines_of_its_file(crate_cursor: Cursor, schema: str, system: str) -> None:
    if not LOGHUB.is_dir():
        pytest.skip(f"There are no loghub files in {LOGHUB}: set INDEXER_LOGHUB to the folder that has them.")
    table = load_system(crate_cursor, LOGHUB, system, schema)
    assert load_system(crate_cursor, LOGHUB, system, schema) == table
    with (LOGHUB / f"{system}.csv").open(encoding="utf-8", newline="") as text:
        lines = {int(line["LineId"]): (line["Content"], line["EventTemplate"]) for line in csv.DictReader(text)}
    crate_cursor.execute(f"SELECT line_id, content, event_template FROM {table}")
    assert {row[0]: (row[1], row[2]) for row in crate_cursor.fetchall()} == lines
    assert len(lines) == 2_000


@pytest.mark.cratedb
def test_a_missing_loghub_file_is_refused_by_name(crate_cursor: Cursor, schema: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Apache\.csv is missing"):
        load_system(crate_cursor, tmp_path, "Apache", schema)


def in_sqlite(file: Path) -> list[tuple[object, ...]]:
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        logs = sa.Table("logs", sa.MetaData(), autoload_with=connection)
        rows = [tuple(row) for row in connection.execute(sa.select(logs).order_by(logs.c.id))]
    engine.dispose()
    return [(*row[:1], _millis(row[1]), *row[2:]) for row in rows]


def with_statement(file: Path, statement: str) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _millis(value: datetime) -> int:
    return round(value.replace(tzinfo=UTC).timestamp() * 1000)
