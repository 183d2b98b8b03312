"""Descriptions of CrateDB tables, on a real server."""

from collections.abc import Iterator

import pytest

from indexer.access import SourceAccess
from indexer.errors import UsageError
from indexer.model.table.table import Column, ColumnKind, ObjectPolicy, Table, TableName
from indexer.sandbox.cratedb_table import Cursor
from indexer.source.cratedb import CrateSource

pytestmark = pytest.mark.cratedb

EVERY_TYPE = """
    CREATE TABLE "{schema}"."Every" (
        a TEXT, b VARCHAR(10), c CHAR(5), u UUID, bits BIT(4),
        si SMALLINT, i INTEGER, l BIGINT, r REAL, d DOUBLE PRECISION, n NUMERIC(20, 4),
        bo BOOLEAN, ip IP, ts TIMESTAMP WITH TIME ZONE, tz TIMESTAMP WITHOUT TIME ZONE, gp GEO_POINT, gs GEO_SHAPE,
        od OBJECT(DYNAMIC) AS (
            x INTEGER,
            "A b" OBJECT(STRICT) AS (c TEXT INDEX OFF, "q'q" BIGINT, "한" TEXT DEFAULT ' "a" TEXT INDEX OFF')
        ),
        os OBJECT(STRICT) AS (p TEXT),
        oi OBJECT(IGNORED),
        fv FLOAT_VECTOR(3),
        ai ARRAY(INTEGER), aat ARRAY(ARRAY(TEXT)),
        ao ARRAY(OBJECT(STRICT) AS (z INTEGER, zz ARRAY(OBJECT(IGNORED) AS (yy TEXT)))),
        off TEXT INDEX OFF, off_number INTEGER INDEX OFF,
        words TEXT INDEX USING FULLTEXT, also TEXT, INDEX also_words USING FULLTEXT (also),
        required TEXT NOT NULL, "select" INTEGER, "Odd ""Q"" name" TEXT INDEX OFF
    ) CLUSTERED BY (i) INTO 3 SHARDS WITH (number_of_replicas = 0)
"""


@pytest.fixture(scope="module")
def source(cratedb_url: str) -> Iterator[CrateSource]:
    source = CrateSource(SourceAccess(url=cratedb_url))
    yield source
    source.close()


@pytest.fixture(scope="module")
def every(source: CrateSource, shared_cursor: Cursor, shared_schema: str) -> Table:
    shared_cursor.execute(EVERY_TYPE.format(schema=shared_schema))
    return source.describe(TableName("Every", shared_schema))


def column(table: Table, name: str) -> Column:
    found = table.column(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize(
    ("name", "kind", "levels", "length"),
    [
        ("a", ColumnKind.TEXT, 0, None),
        ("b", ColumnKind.TEXT, 0, None),
        ("c", ColumnKind.CHAR, 0, 5),
        ("u", ColumnKind.UUID, 0, None),
        ("bits", ColumnKind.BIT, 0, None),
        ("si", ColumnKind.SMALLINT, 0, None),
        ("i", ColumnKind.INTEGER, 0, None),
        ("l", ColumnKind.BIGINT, 0, None),
        ("r", ColumnKind.REAL, 0, None),
        ("d", ColumnKind.DOUBLE, 0, None),
        ("n", ColumnKind.NUMERIC, 0, None),
        ("bo", ColumnKind.BOOLEAN, 0, None),
        ("ip", ColumnKind.IP, 0, None),
        ("ts", ColumnKind.TIMESTAMP, 0, None),
        ("tz", ColumnKind.TIMESTAMP, 0, None),
        ("gp", ColumnKind.GEO_POINT, 0, None),
        ("gs", ColumnKind.GEO_SHAPE, 0, None),
        ("od", ColumnKind.OBJECT, 0, None),
        ("od.A b.q'q", ColumnKind.BIGINT, 0, None),
        ("fv", ColumnKind.FLOAT_VECTOR, 0, 3),
        ("ai", ColumnKind.INTEGER, 1, None),
        ("aat", ColumnKind.TEXT, 2, None),
        ("ao", ColumnKind.OBJECT, 1, None),
        ("ao.zz", ColumnKind.OBJECT, 1, None),
        ("ao.zz.yy", ColumnKind.TEXT, 0, None),
        ("select", ColumnKind.INTEGER, 0, None),
    ],
)
def test_every_type_maps_to_its_column_kind(
    every: Table, name: str, kind: ColumnKind, levels: int, length: int | None
) -> None:
    type_ = column(every, name).type
    assert (type_.kind, type_.array, type_.length) == (kind, levels, length)


def test_objects_have_their_policy_and_their_sub_columns(every: Table) -> None:
    policies = {name: column(every, name).type.policy for name in ("od", "od.A b", "os", "oi", "ao", "ao.zz")}
    assert policies == {
        "od": ObjectPolicy.DYNAMIC,
        "od.A b": ObjectPolicy.STRICT,
        "os": ObjectPolicy.STRICT,
        "oi": ObjectPolicy.IGNORED,
        "ao": ObjectPolicy.STRICT,
        "ao.zz": ObjectPolicy.IGNORED,
    }
    assert [child.path for child in column(every, "od.A b").children] == [
        ("od", "A b", "c"),
        ("od", "A b", "q'q"),
        ("od", "A b", "한"),
    ]
    assert [child.name for child in column(every, "ao").children] == ["ao.z", "ao.zz"]


def test_columns_keep_their_order_and_exact_names(every: Table) -> None:
    names = [column.name for column in every.columns]
    assert names[:3] == ["a", "b", "c"]
    assert names[-2:] == ["select", 'Odd "Q" name']
    assert "also_words" not in names


def test_unindexed_columns_are_recognized(every: Table) -> None:
    unindexed = {name for name in every.column_names if not column(every, name).indexed}
    assert unindexed == {"od.A b.c", "off", "off_number", "words", 'Odd "Q" name', "ao.z", "ao.zz", "ao.zz.yy"}


def test_nullable_columns_are_recognized(every: Table) -> None:
    assert {column.name for column in every.columns if not column.nullable} == {"required"}


def test_a_table_without_a_primary_key_uses_cratedbs_row_id(every: Table, crate_cursor: Cursor) -> None:
    assert every.primary_key == ()
    assert every.row_id == "_id"
    assert every.clustered_by == "i"
    assert every.shards == 3
    crate_cursor.execute("SELECT version['number'] FROM sys.nodes LIMIT 1")
    assert every.version == f"CrateDB {crate_cursor.fetchall()[0][0]}"


def test_a_composite_primary_key_and_partitions_are_described(
    source: CrateSource, crate_cursor: Cursor, schema: str
) -> None:
    crate_cursor.execute(
        f'CREATE TABLE "{schema}".parts (host TEXT, o OBJECT AS (day TIMESTAMP, "N x" INTEGER), seq BIGINT,'
        " PRIMARY KEY (host, o['day'], seq)) PARTITIONED BY (o['day']) CLUSTERED BY (host) INTO 2 SHARDS"
        " WITH (number_of_replicas = 0)"
    )
    empty = source.describe(TableName("parts", schema))
    assert (empty.rows, empty.shards) == (0, 0)
    crate_cursor.execute(
        f'INSERT INTO "{schema}".parts (host, o, seq)'
        " SELECT 'h', {day = i % 3 * 86400000, \"N x\" = i}, i FROM generate_series(1, 30) AS t (i)"
    )
    table = source.describe(TableName("parts", schema))
    assert sorted(table.primary_key) == ["host", "o.day", "seq"]
    assert table.partitioned_by == ("o.day",)
    assert table.clustered_by == "host"
    assert table.shards == 6
    assert table.rows == 30
    assert table.row_id is None


def test_unrefreshed_rows_are_counted(source: CrateSource, crate_cursor: Cursor, schema: str) -> None:
    crate_cursor.execute(f'CREATE TABLE "{schema}".t (id BIGINT PRIMARY KEY) WITH (refresh_interval = 0)')
    crate_cursor.execute(f'INSERT INTO "{schema}".t (id) SELECT i FROM generate_series(1, 100) AS t (i)')
    assert source.describe(TableName("t", schema)).rows == 100


def test_a_view_has_no_primary_key_and_no_row_id(source: CrateSource, crate_cursor: Cursor, schema: str) -> None:
    crate_cursor.execute(f'CREATE TABLE "{schema}".t (id BIGINT PRIMARY KEY, o OBJECT AS (x INTEGER))')
    crate_cursor.execute(f'CREATE VIEW "{schema}".v AS SELECT id, o FROM "{schema}".t')
    try:
        view = source.describe(TableName("v", schema))
    finally:
        crate_cursor.execute(f'DROP VIEW "{schema}".v')
    assert view.column_names == ("id", "o", "o.x")
    assert (view.primary_key, view.row_id, view.shards) == ((), None, None)


def test_a_system_table_is_described(source: CrateSource) -> None:
    table = source.describe(TableName("summits", "sys"))
    assert table.column("mountain") is not None
    assert table.rows > 1000
    assert table.row_id is None


def test_a_table_without_a_schema_is_found_in_the_schema_of_the_url(
    cratedb_url: str, crate_cursor: Cursor, schema: str
) -> None:
    crate_cursor.execute(f'CREATE TABLE "{schema}".found (id BIGINT PRIMARY KEY)')
    source = CrateSource(SourceAccess(url=f"{cratedb_url}/?schema={schema}"))
    assert source.describe(TableName("found")).name == TableName("found", schema)
    source.close()


@pytest.mark.parametrize("wanted", ["lgos", "logs", "LOGS", "my_logs"])
def test_an_unknown_table_is_refused_and_the_nearest_name_suggested(
    source: CrateSource, crate_cursor: Cursor, schema: str, wanted: str
) -> None:
    crate_cursor.execute(f'CREATE TABLE "{schema}"."Logs" (id BIGINT PRIMARY KEY)')
    with pytest.raises(UsageError, match=r"There is no table .*Did you mean .*Logs"):
        source.describe(TableName(wanted, schema))
