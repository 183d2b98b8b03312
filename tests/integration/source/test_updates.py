"""What CrateDB tells of updates: a row that moved by its key is never taken for one that stayed."""

import pytest

from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor
from indexer.settings import SourceAccess
from indexer.source.cratedb import CrateSource

pytestmark = pytest.mark.cratedb

COLUMNS = "(id TEXT, day INTEGER, ts TIMESTAMP, n OBJECT AS (at BIGINT), word TEXT, PRIMARY KEY (id, day))"


@pytest.mark.parametrize("partitioned", ["", "PARTITIONED BY (day)"], ids=["whole", "partitioned"])
@pytest.mark.parametrize(
    ("key", "change"),
    [("ts", "ts = ts + 5"), ("n.at", "n['at'] = n['at'] - 5"), ("word", "word = 'a'")],
    ids=["time", "nested", "text"],
)
def test_only_an_update_of_a_row_that_stays_changes_it(
    cratedb_url: str, crate_cursor: Cursor, schema: str, key: str, change: str, partitioned: str
) -> None:
    name, run = f'"{schema}".moved', crate_cursor.execute
    run(f"CREATE TABLE {name} {COLUMNS} {partitioned}")
    rows = "SELECT 'u' || i, i % 2, 1000 + i, {at = i}, 'w' || i FROM generate_series(?::INTEGER, ?::INTEGER) AS t (i)"
    add = f"INSERT INTO {name} ({rows})"
    source = CrateSource(SourceAccess(url=cratedb_url))

    def seen() -> int:
        table = source.describe(TableName("moved", schema))
        return source.updates(select(table, choose_key(table, (key,))))

    run(add, (1, 100))
    assert seen() == 0
    run(f"UPDATE {name} SET {change} WHERE id = 'u1'")
    before = seen()
    run(add, (101, 200))
    run(f"DELETE FROM {name} WHERE id = 'u7'")
    assert seen() == before > 0
    run(f"UPDATE {name} SET {change} WHERE id = 'u50'")
    assert seen() != before
    source.close()
