"""CrateDB's update counter shows whether a row may have moved to another key."""

import pytest

from indexer.access import SourceAccess
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor
from indexer.source.cratedb import CrateSource

pytestmark = pytest.mark.cratedb

COLUMNS = "(id TEXT, day INTEGER, ts TIMESTAMP, n OBJECT AS (at BIGINT), word TEXT, PRIMARY KEY (id, day))"


@pytest.mark.parametrize("partitioned", ["", "PARTITIONED BY (day)"], ids=["whole", "partitioned"])
@pytest.mark.parametrize(
    ("key", "change"),
    [("ts", "ts = ts + 5"), ("n.at", "n['at'] = n['at'] - 5"), ("word", "word = 'a'")],
    ids=["time", "nested", "text"],
)
def test_updates_change_the_counter_and_inserts_and_deletes_do_not(
    cratedb_url: str, crate_cursor: Cursor, schema: str, key: str, change: str, partitioned: str
) -> None:
    name, run = f'"{schema}".moved', crate_cursor.execute
    run(f"CREATE TABLE {name} {COLUMNS} {partitioned}")
    rows = "SELECT 'u' || i, i % 2, 1000 + i, {at = i}, 'w' || i FROM generate_series(?::INTEGER, ?::INTEGER) AS t (i)"
    add = f"INSERT INTO {name} ({rows})"
    source = CrateSource(SourceAccess(url=cratedb_url))

    def seen() -> int:
        table = source.describe(TableName("moved", schema))
        return source.update_checksum(select(table, choose_key(table, (key,))))

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
