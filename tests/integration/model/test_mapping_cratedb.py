"""Every CrateDB type with its extreme values, from a real table into a real Elasticsearch."""

from collections.abc import Iterator

import pytest

from indexer.access import TargetAccess
from indexer.model.json import JsonObject, Row
from indexer.model.mapping.overlay import parse_overlay
from indexer.model.table.table import ColumnKind, ObjectPolicy, Table, TableName
from indexer.sandbox.cratedb_table import Cursor, quoted_table
from indexer.sink.client import connect
from tests.support.columns import column
from tests.support.loaded_index import LoadedIndex, load_index

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

COLUMNS = """
    id BIGINT PRIMARY KEY, t TEXT, v VARCHAR(10), c CHAR(5), b BIT(4), u UUID, s SMALLINT, i INTEGER, r REAL,
    d DOUBLE PRECISION, n NUMERIC(38, 10), bo BOOLEAN, ip IP, tz TIMESTAMP WITH TIME ZONE,
    ts TIMESTAMP WITHOUT TIME ZONE, gp GEO_POINT, gs GEO_SHAPE, fv FLOAT_VECTOR(3),
    od OBJECT(DYNAMIC) AS (a TEXT, c CHAR(4), r DOUBLE PRECISION, list ARRAY(OBJECT AS (z REAL, c CHAR(3)))),
    os OBJECT(STRICT) AS (a TEXT, gone TEXT), oi OBJECT(IGNORED) AS (a TEXT),
    at ARRAY(TEXT), ad ARRAY(DOUBLE PRECISION), ac ARRAY(CHAR(4)), an ARRAY(NUMERIC(10, 2)), ab ARRAY(BIT(3)),
    au ARRAY(UUID), ag ARRAY(GEO_POINT), aa ARRAY(ARRAY(INTEGER)), ao ARRAY(OBJECT(DYNAMIC) AS (k TEXT, v INTEGER))
"""

ROWS = [
    """(-9223372036854775807, '', 'v', 'ab', B'0101', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', -32768, -2147483648,
    'NaN'::REAL, 'Infinity'::DOUBLE PRECISION, 1234567890123456789012345678.0123456789, TRUE, '10.1.2.3',
    '1969-12-31T23:59:59.999Z', '2026-01-01', [126.97, 37.56], 'POLYGON ((0 0, 10 0, 10 10, 0 0))', [1.0, 2.0, 3.5],
    {a = 'one', c = 'zz', r = '-Infinity'::DOUBLE PRECISION, list = [{z = 'NaN'::REAL, c = 'x'}], fresh = 'Seoul 2026'},
    {a = 'kept', gone = 'secret'}, {a = 'leaf', "x.y" = 1, b = 'NaN', "" = 3},
    ['a', NULL], ['NaN'::DOUBLE PRECISION, 1.5], ['a', 'abcd'], [1.10, 2.25], [B'101'],
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'], [[1.0, 2.0], [3.0, 4.0]], [[1, 2], [3]],
    [{k = 'red', v = 1}, {k = 'blue', v = 2}])""",
    """(9223372036854775806, '삼성전자', '', '', B'0000', NULL, 32767, 2147483647, 3.4028235e38, 1.7976931348623157e308,
    -0.0000000001, FALSE, '2001:db8::1',
    '9999-12-31T23:59:59.999Z', '0001-01-01', [-180.0, -90.0], NULL, [0.0, 0.0, 0.0],
    {}, {}, {}, [], [], [], [], [], [], [], [], [])""",
    "(0" + ", NULL" * 29 + ")",
]

PLAIN = {
    "id": ColumnKind.BIGINT,
    "t": ColumnKind.TEXT,
    "v": ColumnKind.TEXT,
    "c": ColumnKind.CHAR,
    "b": ColumnKind.BIT,
    "u": ColumnKind.UUID,
    "s": ColumnKind.SMALLINT,
    "i": ColumnKind.INTEGER,
    "r": ColumnKind.REAL,
    "d": ColumnKind.DOUBLE,
    "n": ColumnKind.NUMERIC,
    "bo": ColumnKind.BOOLEAN,
    "ip": ColumnKind.IP,
    "tz": ColumnKind.TIMESTAMP,
    "ts": ColumnKind.TIMESTAMP,
    "gp": ColumnKind.GEO_POINT,
    "gs": ColumnKind.GEO_SHAPE,
}
ARRAYS = {
    "at": ColumnKind.TEXT,
    "ad": ColumnKind.DOUBLE,
    "ac": ColumnKind.CHAR,
    "an": ColumnKind.NUMERIC,
    "ab": ColumnKind.BIT,
    "au": ColumnKind.UUID,
    "ag": ColumnKind.GEO_POINT,
}


def described(schema: str) -> Table:
    inner = column(
        "od.list",
        ColumnKind.OBJECT,
        column("od.list.z", ColumnKind.REAL),
        column("od.list.c", ColumnKind.CHAR),
        array=1,
    )
    objects = (
        column(
            "od",
            ColumnKind.OBJECT,
            column("od.a", ColumnKind.TEXT),
            column("od.c", ColumnKind.CHAR),
            column("od.r", ColumnKind.DOUBLE),
            inner,
        ),
        column(
            "os",
            ColumnKind.OBJECT,
            column("os.a", ColumnKind.TEXT),
            column("os.gone", ColumnKind.TEXT),
            policy=ObjectPolicy.STRICT,
        ),
        column("oi", ColumnKind.OBJECT, column("oi.a", ColumnKind.TEXT), policy=ObjectPolicy.IGNORED),
    )
    events = (column("ao.k", ColumnKind.TEXT), column("ao.v", ColumnKind.INTEGER))
    columns = (
        *(column(name, kind) for name, kind in PLAIN.items()),
        column("fv", ColumnKind.FLOAT_VECTOR, length=3),
        *objects,
        *(column(name, kind, array=1) for name, kind in ARRAYS.items()),
        column("aa", ColumnKind.INTEGER, array=2),
        column("ao", ColumnKind.OBJECT, *events, array=1),
    )
    return Table(TableName("types", schema), columns, primary_key=("id",))


def rows_of(cursor: Cursor, table: Table) -> list[Row]:
    """Create the table and read it as a source does, NUMERIC as text to keep its digits."""
    name = quoted_table(table.name)
    casts = {"n": "CAST(n AS TEXT)", "an": "CAST(an AS ARRAY(TEXT))"}
    listed = ", ".join(casts.get(one.name, f'"{one.name}"') for one in table.columns)
    cursor.execute(f"CREATE TABLE {name} ({COLUMNS}) CLUSTERED INTO 1 SHARDS WITH (number_of_replicas = 0)")
    for values in ROWS:
        cursor.execute(f"INSERT INTO {name} VALUES {values}")
    cursor.execute(f"REFRESH TABLE {name}")
    cursor.execute(f"SELECT {listed} FROM {name} ORDER BY id")
    return [list(row) for row in cursor.fetchall()]


# CrateDB accepts neither -2**63 nor 2**63 - 1 as a BIGINT.
FIRST, LAST = str(-(2**63) + 1), str(2**63 - 2)


@pytest.fixture
def mapped(crate_cursor: Cursor, elasticsearch_url: str, schema: str, alias: str) -> Iterator[LoadedIndex]:
    table = described(schema)
    overlay = parse_overlay({"fields": {"os.gone": False, "od.a": {"rename": "A"}}}, "the test")
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        yield load_index(cluster, alias, table, overlay, rows_of(crate_cursor, table))


def test_every_cratedb_type_is_indexed_and_searchable(mapped: LoadedIndex) -> None:
    assert (mapped.written.acknowledged, list(mapped.written.dead_letters)) == (len(ROWS), [])
    assert mapped.documents.nulled == 5  # r, d, od.r, od.list.z and one of ad

    first = mapped.source(FIRST)
    # CrateDB rounds a GEO_POINT to its index's resolution.
    assert first.pop("gp") == pytest.approx([126.97, 37.56])
    assert first == {
        "id": int(FIRST),
        "t": "",
        "v": "v",
        "c": "ab",
        "b": "B'0101'",
        "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "s": -32768,
        "i": -(2**31),
        "r": None,
        "d": None,
        "n": "1234567890123456789012345678.0123456789",
        "bo": True,
        "ip": "10.1.2.3",
        "tz": -1,
        "ts": 1_767_225_600_000,
        "gs": {"type": "Polygon", "coordinates": [[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 0.0]]]},
        "fv": [1.0, 2.0, 3.5],
        "od": {"A": "one", "c": "zz", "r": None, "list": [{"z": None, "c": "x"}], "fresh": "Seoul 2026"},
        "os": {"a": "kept"},
        "oi": {"a": "leaf", "x.y": 1, "b": "NaN", "": 3},
        "at": ["a", None],
        "ad": [None, 1.5],
        "ac": ["a", "abcd"],
        "an": ["1.10", "2.25"],
        "ab": ["B'101'"],
        "au": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        "ag": [[1.0, 2.0], [3.0, 4.0]],
        "aa": [[1, 2], [3]],
        "ao": [{"k": "red", "v": 1}, {"k": "blue", "v": 2}],
    }
    last = mapped.source(LAST)
    assert (last["n"], last["c"], last["tz"], last["ts"]) == ("-1E-10", "", 253_402_300_799_999, -62_135_596_800_000)

    queries: list[tuple[JsonObject, list[str]]] = [
        ({"term": {"t.keyword": "삼성전자"}}, [LAST]),
        ({"term": {"c": "ab"}}, [FIRST]),
        ({"exists": {"field": "r"}}, [LAST]),
        ({"range": {"d": {"gte": 1.7e308}}}, [LAST]),
        ({"range": {"n": {"gt": 1e27}}}, [FIRST]),
        ({"term": {"n": -1e-10}}, [LAST]),
        ({"term": {"ip": "10.0.0.0/8"}}, [FIRST]),
        ({"range": {"tz": {"lt": "1970-01-01"}}}, [FIRST]),
        ({"range": {"ts": {"lt": "0001-01-02"}}}, [LAST]),
        ({"geo_distance": {"distance": "10km", "gp": [127.0, 37.5]}}, [FIRST]),
        ({"geo_distance": {"distance": "1km", "ag": [3.0, 4.0]}}, [FIRST]),
        ({"match": {"od.fresh": "seoul"}}, [FIRST]),
        ({"term": {"od.fresh.keyword": "Seoul 2026"}}, [FIRST]),
        ({"term": {"od.A.keyword": "one"}}, [FIRST]),
        ({"term": {"od.list.c": "x"}}, [FIRST]),
        ({"query_string": {"query": "secret"}}, []),
        ({"term": {"ad": 1.5}}, [FIRST]),
        ({"term": {"an": 2.25}}, [FIRST]),
        ({"term": {"ac": "a"}}, [FIRST]),
        ({"term": {"aa": 3}}, [FIRST]),
        ({"term": {"ao.v": 2}}, [FIRST]),
    ]
    for query, rows in queries:
        assert mapped.found(query) == rows, query
