"""Every column type on a real Elasticsearch: the field is created, accepts extreme values, and is searchable."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from indexer.access import TargetAccess
from indexer.model.document.bulk_request import parse_line
from indexer.model.json import Json, JsonObject, Row
from indexer.model.mapping.overlay import Overlay, parse_overlay
from indexer.model.table.table import Column, ColumnKind, ObjectPolicy, Table, TableName
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from tests.support.columns import column
from tests.support.loaded_index import LoadedIndex, load_index

pytestmark = pytest.mark.elasticsearch


POLYGON: Json = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 0]]]}
DIGITS = "1234567890123456789012345678.0123456789"
EVENTS: Json = [{"k": "red", "v": 1}, {"k": "blue", "v": 2}]
LONGEST = 9_223_372_036_854_775_807


def pair(name: str) -> tuple[Column, Column]:
    """The sub-columns of EVENTS."""
    return column(f"{name}.k", ColumnKind.TEXT), column(f"{name}.v", ColumnKind.INTEGER)


# Each column with its values in rows 1 and 2, as CrateDB's HTTP endpoint sends them; row 3 is all NULL.
COLUMNS: list[tuple[Column, Json, Json]] = [
    (column("text", ColumnKind.TEXT), "Payment failed: timeout", "x" * 40_000),
    (column("char", ColumnKind.CHAR, length=5), "ab   ", "     "),
    (column("uuid", ColumnKind.UUID), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None),
    (column("bit", ColumnKind.BIT, length=4), "B'0101'", None),
    (column("small", ColumnKind.SMALLINT), -32_768, 32_767),
    (column("int", ColumnKind.INTEGER), -(2**31), 2**31 - 1),
    (column("big", ColumnKind.BIGINT), -LONGEST - 1, LONGEST),
    (column("real", ColumnKind.REAL), "NaN", 3.402_823_5e38),
    (column("double", ColumnKind.DOUBLE), "-Infinity", 1.797_693_134_862_315_7e308),
    (column("numeric", ColumnKind.NUMERIC), DIGITS, "-0.10"),
    (column("bool", ColumnKind.BOOLEAN), True, False),
    (column("ip", ColumnKind.IP), "10.1.2.3", "2001:db8::1"),
    (column("ts", ColumnKind.TIMESTAMP), -1, 2026),
    (column("date", ColumnKind.DATE), 1_767_225_600_000, LONGEST),
    (column("time", ColumnKind.TIME), "01:02:03", None),
    (column("point", ColumnKind.GEO_POINT), [126.97, 37.56], [-180.0, -90.0]),
    (column("shape", ColumnKind.GEO_SHAPE), POLYGON, {"type": "Point", "coordinates": [1.0, 2.0]}),
    (column("vector", ColumnKind.FLOAT_VECTOR, length=3), [1.0, 2.0, 3.5], [0.0, 0.0, 0.0]),
    (column("bytes", ColumnKind.BYTES), "AP8=", None),
    (column("unknown", ColumnKind.UNKNOWN), {"": 1, "a": [1, "x"]}, 5),
    (
        column("dyn", ColumnKind.OBJECT, column("dyn.r", ColumnKind.REAL)),
        {"r": "NaN", "new": "2026-01-01 Seoul", "deep": {"x": 1.5}, "day": "2026-01-01"},
        {"r": 1.5, "new": "other", "day": "no day"},
    ),
    (
        column("strict", ColumnKind.OBJECT, column("strict.a", ColumnKind.IP), policy=ObjectPolicy.STRICT),
        {"a": "10.0.0.1"},
        {},
    ),
    (
        column("ignored", ColumnKind.OBJECT, column("ignored.a", ColumnKind.TEXT), policy=ObjectPolicy.IGNORED),
        {"a": "one", "x.y": 1, "b": "NaN", "": 3, "long": "y" * 40_000},
        {"a": {"changed": ["its", "shape"]}},
    ),
    (column("texts", ColumnKind.TEXT, array=1), ["alpha", None, "beta gamma"], []),
    (column("reals", ColumnKind.DOUBLE, array=1), ["NaN", 1.5], ["Infinity"]),
    (column("grid", ColumnKind.INTEGER, array=2), [[1, 2], [3]], [[], None]),
    (column("points", ColumnKind.GEO_POINT, array=1), [[1.0, 2.0], [3.0, 4.0]], None),
    (column("prices", ColumnKind.NUMERIC, array=1), ["1.10", "2.25"], None),
    (column("events", ColumnKind.OBJECT, *pair("events"), array=1), EVENTS, [None]),
    (column("nested", ColumnKind.OBJECT, *pair("nested"), array=1), EVENTS, None),
]

TABLE = Table(
    TableName("types"),
    (column("id", ColumnKind.BIGINT), *(one for one, *_ in COLUMNS)),
    primary_key=("id",),
)
ROWS: list[Row] = [
    [1, *(value for _, value, _ in COLUMNS)],
    [2, *(value for _, _, value in COLUMNS)],
    [3, *(None for _ in COLUMNS)],
]


@pytest.fixture(scope="module")
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def mapped(cluster: Cluster) -> Iterator[LoadedIndex]:
    alias = f"test_mapping_types_{uuid4().hex[:12]}"
    overlay = parse_overlay({"fields": {"nested": "nested", "nested.k": "keyword"}}, "the test")
    yield load_index(cluster, alias, TABLE, overlay, ROWS)
    for index in cluster.client.indices.get(index=f"{alias}*"):
        cluster.client.indices.delete(index=index)


def row_with(name: str, value: Json) -> Row:
    """Row 4, all NULL except for one column."""
    return [4, *(value if one.name == name else None for one, *_ in COLUMNS)]


def test_every_row_is_indexed(mapped: LoadedIndex) -> None:
    assert (mapped.written.acknowledged, list(mapped.written.dead_letters)) == (len(ROWS), [])


def test_every_planned_field_exists_in_the_index(mapped: LoadedIndex) -> None:
    live = mapped.cluster.client.indices.get_field_mapping(index=mapped.index, fields="*").body
    names = set(live[mapped.index]["mappings"])
    objects = {"object", "nested"}
    assert {field.name for field in mapped.mapping.fields if field.type not in objects} <= names


QUERIES: list[tuple[str, JsonObject, list[str]]] = [
    ("a word of a text", {"match": {"text": "TIMEOUT"}}, ["1"]),
    ("a whole text by its keyword", {"term": {"text.keyword": "Payment failed: timeout"}}, ["1"]),
    ("a char without padding", {"term": {"char": "ab"}}, ["1"]),
    ("an empty char", {"term": {"char": ""}}, ["2"]),
    ("a uuid", {"term": {"uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}, ["1"]),
    ("bits", {"term": {"bit": "B'0101'"}}, ["1"]),
    ("the smallest smallint", {"term": {"small": -32_768}}, ["1"]),
    ("the largest integer", {"term": {"int": 2**31 - 1}}, ["2"]),
    ("the largest bigint", {"term": {"big": LONGEST}}, ["2"]),
    ("the smallest bigint", {"term": {"big": -LONGEST - 1}}, ["1"]),
    ("NaN is missing", {"exists": {"field": "real"}}, ["2"]),
    ("an infinity is missing", {"exists": {"field": "double"}}, ["2"]),
    ("the largest double", {"range": {"double": {"gte": 1.7e308}}}, ["2"]),
    ("a numeric by its size", {"range": {"numeric": {"gt": 1e27, "lt": 2e27}}}, ["1"]),
    ("a negative numeric", {"term": {"numeric": -0.1}}, ["2"]),
    ("a boolean", {"term": {"bool": False}}, ["2"]),
    ("an address by its network", {"term": {"ip": "10.1.0.0/16"}}, ["1"]),
    ("an IPv6 address by its network", {"term": {"ip": "2001:db8::/32"}}, ["2"]),
    ("a moment before 1970", {"range": {"ts": {"lt": "1970-01-01"}}}, ["1"]),
    ("a small number is a moment, not a year", {"range": {"ts": {"gte": "1970-01-01", "lt": "1971-01-01"}}}, ["2"]),
    ("a date as people write it", {"query_string": {"query": "date:[2025-12-31 TO 2026-01-02]"}}, ["1"]),
    ("a date by its milliseconds", {"term": {"date": 1_767_225_600_000}}, ["1"]),
    ("the last millisecond there is", {"range": {"date": {"gt": "9999-12-31"}}}, ["2"]),
    ("a time", {"term": {"time": "01:02:03"}}, ["1"]),
    ("a place by its distance", {"geo_distance": {"distance": "10km", "point": [127.0, 37.5]}}, ["1"]),
    ("a place among several", {"geo_distance": {"distance": "1km", "points": [3.0, 4.0]}}, ["1"]),
    ("a new key as text", {"match": {"dyn.new": "seoul"}}, ["1"]),
    ("a new key as a whole", {"term": {"dyn.new.keyword": "2026-01-01 Seoul"}}, ["1"]),
    ("a new key that began like a date", {"match": {"dyn.day": "no"}}, ["2"]),
    ("a new number below a new object", {"range": {"dyn.deep.x": {"gt": 1.4, "lt": 1.6}}}, ["1"]),
    ("NaN below an object is missing", {"exists": {"field": "dyn.r"}}, ["2"]),
    ("a key of a strict object", {"term": {"strict.a": "10.0.0.0/8"}}, ["1"]),
    ("an element of an array of text", {"match": {"texts": "gamma"}}, ["1"]),
    ("an element of an array of text as a whole", {"term": {"texts.keyword": "beta gamma"}}, ["1"]),
    ("the finite element of an array", {"term": {"reals": 1.5}}, ["1"]),
    ("an element of an array of arrays", {"term": {"grid": 3}}, ["1"]),
    ("an element of an array of numerics", {"term": {"prices": 2.25}}, ["1"]),
    (
        "values of any elements of an array of objects",
        {"query_string": {"query": "events.k:red AND events.v:2"}},
        ["1"],
    ),
]


@pytest.mark.parametrize(("query", "rows"), [case[1:] for case in QUERIES], ids=[case[0] for case in QUERIES])
def test_a_value_is_found_by_a_query_of_its_type(query: JsonObject, rows: list[str], mapped: LoadedIndex) -> None:
    assert mapped.found(query) == rows


@pytest.mark.parametrize(("value", "rows"), [(1, ["1"]), (2, [])])
def test_nested_elements_match_individually(value: int, rows: list[str], mapped: LoadedIndex) -> None:
    both: list[JsonObject] = [{"term": {"nested.k": "red"}}, {"term": {"nested.v": value}}]
    assert mapped.found({"nested": {"path": "nested", "query": {"bool": {"must": [*both]}}}}) == rows


def test_a_flattened_object_is_found_by_its_leaves(mapped: LoadedIndex) -> None:
    if not mapped.has("flattened"):
        pytest.skip("this Elasticsearch has no flattened field type")
    assert mapped.found({"term": {"ignored.a": "one"}}) == ["1"]
    assert mapped.found({"term": {"ignored.x.y": "1"}}) == ["1"]
    assert mapped.found({"term": {"ignored.a.changed": "shape"}}) == ["2"]


def test_a_geo_shape_is_searchable_or_its_fallback_is_reported(mapped: LoadedIndex) -> None:
    if not mapped.has("geo_shape"):
        assert any(sentence.startswith("shape: ") and "geo_shape" in sentence for sentence in mapped.mapping.fallbacks)
        pytest.skip("this Elasticsearch has no geo_shape field type: the fallback was checked instead")
    inside: JsonObject = {"shape": {"type": "point", "coordinates": [9, 1]}, "relation": "intersects"}
    assert mapped.found({"geo_shape": {"shape": inside}}) == ["1"]


def test_the_keyword_of_a_text_can_be_aggregated(mapped: LoadedIndex) -> None:
    counts = mapped.cluster.client.search(
        index=mapped.index, size=0, aggregations={"words": {"terms": {"field": "texts.keyword"}}}
    ).body["aggregations"]["words"]["buckets"]
    assert {bucket["key"]: bucket["doc_count"] for bucket in counts} == {"alpha": 1, "beta gamma": 1}


def test_documents_come_back_as_they_were_sent(mapped: LoadedIndex) -> None:
    hits = mapped.cluster.client.search(index=mapped.index, sort="id").body["hits"]["hits"]
    sent = [parse_line(line) for line in mapped.lines]
    assert [(hit["_id"], hit["_source"]) for hit in hits] == sent
    assert hits[0]["_source"]["numeric"] == DIGITS
    assert hits[0]["_source"]["vector"] == [1.0, 2.0, 3.5]
    assert hits[0]["_source"]["real"] is None


def test_a_strict_object_rejects_an_unknown_key(mapped: LoadedIndex) -> None:
    lines = mapped.documents.lines([row_with("strict", {"b": 1})])
    written = BulkWriter(mapped.cluster, mapped.index).write(lines)
    assert [letter.reason.partition(":")[0] for letter in written.dead_letters] == ["strict_dynamic_mapping_exception"]


def test_new_keys_beyond_the_limit_do_not_reject_their_document(cluster: Cluster, alias: str) -> None:
    overlay = parse_overlay({"settings": {"mapping.total_fields.limit": 100}}, "the test")
    keys: JsonObject = {f"k{n}": "v" for n in range(300)}
    mapped = load_index(cluster, alias, TABLE, overlay, [row_with("dyn", keys)])
    assert mapped.written.acknowledged == 1
    assert mapped.source("4")["dyn"] == keys


def test_ids_at_the_length_limit_and_of_special_characters_are_accepted(cluster: Cluster, alias: str) -> None:
    table = Table(TableName("t"), (column("k", ColumnKind.TEXT),), primary_key=("k",))
    keys: list[Json] = ["", " ", "x" * 512, "x" * 513, "가" * 170, "가" * 171, '"\\\n\x00', "_id", "sha256:"]
    mapped = load_index(cluster, alias, table, Overlay(), [[key] for key in keys])
    assert mapped.written.acknowledged == len(keys)
    assert mapped.found({"match_all": {}}) == sorted(parse_line(line)[0] for line in mapped.lines)
    assert [mapped.source(parse_line(line)[0])["k"] for line in mapped.lines] == keys
