"""Mappings: type rules and overlays."""

from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.job.overlay_file import find_overlay
from indexer.model.json import JsonObject
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.field import Origin
from indexer.model.mapping.mapping import build_mapping
from indexer.model.mapping.overlay import Overlay
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import Column, ColumnKind, ColumnType, ObjectPolicy, Table, TableName
from tests.support.columns import column
from tests.support.mappings import BARE, DATE, FULL, TEXT, mapping_of, properties

RULES = [
    (ColumnKind.TEXT, None, TEXT),
    (ColumnKind.CHAR, 5, {"type": "keyword"}),
    (ColumnKind.CHAR, 10_000, {"type": "keyword", "ignore_above": 8191}),
    (ColumnKind.UUID, None, {"type": "keyword"}),
    (ColumnKind.BIT, 4, {"type": "keyword"}),
    (ColumnKind.TIME, None, {"type": "keyword"}),
    (ColumnKind.SMALLINT, None, {"type": "short"}),
    (ColumnKind.INTEGER, None, {"type": "integer"}),
    (ColumnKind.BIGINT, None, {"type": "long"}),
    (ColumnKind.REAL, None, {"type": "float"}),
    (ColumnKind.DOUBLE, None, {"type": "double"}),
    (ColumnKind.NUMERIC, None, {"type": "double"}),
    (ColumnKind.BOOLEAN, None, {"type": "boolean"}),
    (ColumnKind.IP, None, {"type": "ip"}),
    (ColumnKind.TIMESTAMP, None, DATE),
    (ColumnKind.DATE, None, DATE),
    (ColumnKind.JSON, None, {"type": "object", "dynamic": True, "properties": {}}),
    (ColumnKind.GEO_POINT, None, {"type": "geo_point"}),
    (ColumnKind.GEO_SHAPE, None, {"type": "geo_shape"}),
    (ColumnKind.FLOAT_VECTOR, 3, {"type": "dense_vector", "dims": 3, "index": False}),
    (ColumnKind.BYTES, None, {"type": "binary"}),
    (ColumnKind.UNKNOWN, None, {"type": "object", "enabled": False}),
]


@pytest.mark.parametrize("array", [0, 1, 2])
@pytest.mark.parametrize(("kind", "length", "definition"), RULES)
def test_every_column_type_has_its_field_type_and_arrays_that_of_their_elements(
    kind: ColumnKind, length: int | None, definition: JsonObject, array: int
) -> None:
    mapping = mapping_of(column("c", kind, length=length, array=array))
    assert properties(mapping)["c"] == definition


def test_every_column_kind_except_objects_has_a_rule() -> None:
    assert {kind for kind, *_ in RULES} == set(ColumnKind) - {ColumnKind.OBJECT}


def test_a_type_without_a_counterpart_is_reported() -> None:
    mapping = mapping_of(column("c", ColumnKind.UNKNOWN))
    assert mapping.fields[1].origin is Origin.FALLBACK
    assert "c is UNKNOWN" in mapping.fallbacks[0]


def test_objects_are_mapped_by_their_policy() -> None:
    inner = column("d.k", ColumnKind.TEXT)
    mapping = mapping_of(
        column("d", ColumnKind.OBJECT, inner),
        column("s", ColumnKind.OBJECT, column("s.k", ColumnKind.IP), policy=ObjectPolicy.STRICT),
        column("i", ColumnKind.OBJECT, column("i.k", ColumnKind.IP), policy=ObjectPolicy.IGNORED),
    )
    found = properties(mapping)
    assert found["d"] == {"type": "object", "dynamic": True, "properties": {"k": TEXT}}
    assert found["s"] == {"type": "object", "dynamic": "strict", "properties": {"k": {"type": "ip"}}}
    assert found["i"] == {"type": "flattened", "ignore_above": 4096}


def test_only_dynamic_objects_map_new_keys() -> None:
    deep = column("d.in", ColumnKind.OBJECT, column("d.in.k", ColumnKind.TEXT))
    mapping = mapping_of(
        column("d", ColumnKind.OBJECT, deep),
        column("s", ColumnKind.OBJECT, column("s.d", ColumnKind.OBJECT), policy=ObjectPolicy.STRICT),
    )
    assert mapping.mappings["dynamic"] is False
    assert mapping.mappings["dynamic_templates"] == [
        {"d string": {"path_match": "d.*", "match_mapping_type": "string", "mapping": TEXT}},
        {"d double": {"path_match": "d.*", "match_mapping_type": "double", "mapping": {"type": "double"}}},
        {"s.d string": {"path_match": "s.d.*", "match_mapping_type": "string", "mapping": TEXT}},
        {"s.d double": {"path_match": "s.d.*", "match_mapping_type": "double", "mapping": {"type": "double"}}},
    ]
    assert mapping.settings == {"mapping": {"total_fields": {"ignore_dynamic_beyond_limit": True}}}


def test_fields_keep_column_order_and_name_who_decided() -> None:
    mapping = mapping_of(
        column("attrs", ColumnKind.OBJECT, column("attrs.pod", ColumnKind.TEXT), column("attrs.n", ColumnKind.INTEGER)),
        column("note", ColumnKind.TEXT),
        column("area", ColumnKind.GEO_SHAPE),
        overlay={"fields": {"attrs.pod": "keyword", "attrs": {"rename": "k8s"}, "note": False}},
        capabilities=BARE,
    )
    assert [(f.column.name, f.name, f.type, f.origin) for f in mapping.fields] == [
        ("id", "id", "long", Origin.RULE),
        ("attrs", "k8s", "object", Origin.RULE),
        ("attrs.pod", "k8s.pod", "keyword", Origin.OVERLAY),
        ("attrs.n", "k8s.n", "integer", Origin.RULE),
        ("note", "note", None, Origin.OVERLAY),
        ("area", "area", "object", Origin.FALLBACK),
    ]
    assert "note" not in properties(mapping)


def test_an_overlay_type_replaces_the_rule_and_bare_parameters_extend_it() -> None:
    found = properties(
        mapping_of(
            column("a", ColumnKind.TEXT),
            column("b", ColumnKind.TEXT),
            column("c", ColumnKind.TEXT),
            column("ts", ColumnKind.TIMESTAMP),
            column("v", ColumnKind.FLOAT_VECTOR, length=3),
            column("o", ColumnKind.OBJECT, column("o.k", ColumnKind.IP), array=1),
            overlay={
                "fields": {
                    "a": "text",
                    "b": {"analyzer": "simple"},
                    "c": "keyword",
                    "ts": "date_nanos",
                    "v": {"index": True, "similarity": "cosine"},
                    "o": "nested",
                }
            },
        )
    )
    assert found["a"] == {"type": "text"}
    assert found["b"] == {**TEXT, "analyzer": "simple"}
    assert found["c"] == {"type": "keyword", "ignore_above": 8191}
    assert found["ts"] == {**DATE, "type": "date_nanos"}
    assert found["v"] == {"type": "dense_vector", "dims": 3, "index": True, "similarity": "cosine"}
    assert found["o"] == {"type": "nested", "dynamic": True, "properties": {"k": {"type": "ip"}}}


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ({"fields": {"a": {"rename": "b"}}}, ["m.yaml", "a and b", "rename one"]),
        ({"fields": {"o.x": {"rename": "y"}}}, ["o.x", "o.y"]),
        ({"fields": {"o": "flattened", "o.x": "ip"}}, ["m.yaml: o.x cannot be mapped", "give o the type object"]),
        ({"fields": {"o": {"enabled": False}, "o.x": {"rename": "z"}}}, ["o.x cannot be mapped"]),
        ({"fields": {"a": {"rename": "_source"}}}, ["a is renamed to '_source'", "choose another"]),
    ],
)
def test_contradictory_overlays_are_refused(overlay: object, words: list[str]) -> None:
    inner = (column("o.x", ColumnKind.TEXT), column("o.y", ColumnKind.TEXT))
    with pytest.raises(UsageError) as refusal:
        mapping_of(
            column("a", ColumnKind.TEXT),
            column("b", ColumnKind.TEXT),
            column("o", ColumnKind.OBJECT, *inner),
            overlay=overlay,
        )
    for word in words:
        assert word in str(refusal.value)


def test_a_dotted_column_cannot_coexist_with_a_column_named_like_its_parent() -> None:
    dotted = Column(("a.b",), ColumnType(ColumnKind.TEXT))
    with pytest.raises(UsageError, match=r"a and a\.b"):
        mapping_of(column("a", ColumnKind.TEXT), dotted)
    assert properties(mapping_of(dotted))["a.b"] == TEXT


@pytest.mark.parametrize("name", ["", " ", "a..b", ".a", "_id", "_source", "_doc_count"])
def test_a_column_with_an_invalid_field_name_is_dropped_and_reported(name: str) -> None:
    mapping = mapping_of(Column((name,), ColumnType(ColumnKind.TEXT)))
    assert mapping.fields[1].type is None
    assert list(properties(mapping)) == ["id"]
    assert repr(name) in mapping.fallbacks[0]


def test_metadata_field_names_are_allowed_inside_objects() -> None:
    mapping = mapping_of(column("o", ColumnKind.OBJECT, column("o._id", ColumnKind.TEXT)))
    assert not mapping.fallbacks


def test_numeric_inside_an_object_is_reported_to_lose_digits() -> None:
    mapping = mapping_of(column("o", ColumnKind.OBJECT, column("o.n", ColumnKind.NUMERIC)))
    assert "o.n is NUMERIC inside an OBJECT" in mapping.fallbacks[0]
    assert not mapping_of(column("n", ColumnKind.NUMERIC)).fallbacks


def test_a_wide_table_raises_the_field_limit() -> None:
    mapping = mapping_of(*(column(f"c{n}", ColumnKind.TEXT) for n in range(600)))
    assert mapping.settings == {"mapping": {"total_fields": {"limit": 2201}}}


def test_overlay_settings_override_our_field_limits() -> None:
    mapping = mapping_of(
        column("o", ColumnKind.OBJECT),
        overlay={"settings": {"mapping.total_fields": {"limit": 5, "ignore_dynamic_beyond_limit": False}}},
    )
    assert mapping.settings == {"mapping": {"total_fields": {"limit": 5, "ignore_dynamic_beyond_limit": False}}}


@pytest.mark.parametrize(("version", "set_"), [("8.19.3", False), ("9.1.0", False), ("9.2.0", True), ("10.0.0", True)])
def test_vectors_are_kept_in_the_returned_source(version: str, set_: bool) -> None:  # noqa: FBT001  # a parameter
    mapping = mapping_of(
        column("v", ColumnKind.FLOAT_VECTOR, length=3),
        capabilities=Capabilities(version, frozenset(), frozenset({"dense_vector"})),
    )
    assert mapping.settings == ({"mapping": {"exclude_source_vectors": False}} if set_ else {})


def test_only_selected_columns_are_mapped() -> None:
    table = Table(TableName("t"), (column("id", ColumnKind.BIGINT), column("a", ColumnKind.TEXT)), primary_key=("id",))
    selection = select(table, choose_key(table), columns=("a",))
    assert list(properties(build_mapping(selection, Overlay(), FULL))) == ["a"]


def test_the_shipped_overlay_maps_the_sample_table(tmp_path: Path) -> None:
    http = column(
        "attrs.http",
        ColumnKind.OBJECT,
        column("attrs.http.method", ColumnKind.TEXT),
        column("attrs.http.path", ColumnKind.TEXT),
    )
    table = Table(
        TableName("logs"),
        (
            column("id", ColumnKind.BIGINT),
            *(column(name, ColumnKind.TEXT) for name in ("level", "service", "host", "message", "trace_id")),
            column(
                "attrs",
                ColumnKind.OBJECT,
                column("attrs.pod", ColumnKind.TEXT),
                column("attrs.region", ColumnKind.TEXT),
                http,
            ),
            column("tags", ColumnKind.TEXT, array=1),
            column("location", ColumnKind.GEO_POINT),
        ),
        primary_key=("id",),
    )
    overlay, origin = find_overlay(table, directory=tmp_path)
    mapping = build_mapping(select(table, choose_key(table)), overlay, BARE)
    types = {field.name: field.type for field in mapping.fields}
    assert origin == "mappings/logs.yaml, as shipped"
    assert [types[name] for name in ("level", "service", "host", "trace_id", "attrs.pod")] == ["keyword"] * 5
    assert properties(mapping)["message"] == {
        **TEXT,
        "analyzer": "korean",
        "index_prefixes": {"min_chars": 2, "max_chars": 5},
    }
