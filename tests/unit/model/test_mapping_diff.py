"""Differences between a live index and the planned mapping, and which need a reindex."""

import pytest

from indexer.model.json import JsonObject
from indexer.model.mapping.diff import MappingDifference, mapping_differences
from indexer.model.mapping.overlay import parse_overlay
from indexer.model.table.table import ColumnKind
from tests.support.columns import column
from tests.support.mappings import mapping_of


def fields(wanted: JsonObject, live: JsonObject) -> tuple[MappingDifference, ...]:
    return mapping_differences({"properties": wanted}, {"properties": live}, {}, {})


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [
        (
            {"a": {"type": "keyword"}},
            {"a": {"type": "text"}},
            MappingDifference("a: type", "keyword", "text", reindex=True),
        ),
        ({"a": {"type": "keyword"}}, {}, MappingDifference("a", "keyword", None, reindex=True)),
        ({}, {"a": {"type": "long"}}, MappingDifference("a", None, "long", reindex=True)),
        (
            {"a": {"type": "keyword", "ignore_above": 9}},
            {"a": {"type": "keyword", "ignore_above": 8}},
            MappingDifference("a: ignore_above", "9", "8", reindex=False),
        ),
        (
            {"a": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}},
            {"a": {"type": "text"}},
            MappingDifference("a.keyword", "keyword", None, reindex=True),
        ),
        (
            {"a": {"type": "keyword", "doc_values": False}},
            {"a": {"type": "keyword"}},
            MappingDifference("a: doc_values", "false", None, reindex=True),
        ),
    ],
)
def test_a_difference_is_reported(wanted: JsonObject, live: JsonObject, expected: MappingDifference) -> None:
    assert fields(wanted, live) == (expected,)


def test_dynamically_added_fields_are_not_a_difference() -> None:
    wanted: JsonObject = {"a": {"type": "object", "dynamic": True, "properties": {"b": {"type": "long"}}}}
    live: JsonObject = {"a": {"dynamic": "true", "properties": {"b": {"type": "long"}, "c": {"type": "text"}}}}
    assert fields(wanted, live) == ()


def test_only_static_settings_need_a_reindex() -> None:
    differences = mapping_differences(
        {}, {}, {"number_of_shards": 2, "number_of_replicas": 0}, {"number_of_shards": "1", "number_of_replicas": "1"}
    )
    assert [(difference.name, difference.reindex) for difference in differences] == [
        ("number_of_shards", True),
        ("number_of_replicas", False),
    ]


def test_the_mapping_stores_its_analyzers_and_search_hints() -> None:
    overlay = {"fields": {"a": {"type": "text", "analyzer": "korean"}}, "search": {"message": "a"}}
    assert parse_overlay(overlay, "m.yaml").search.message == "a"
    meta = mapping_of(column("a", ColumnKind.TEXT), overlay=overlay).meta
    assert meta == {"analyzers": {"korean": "standard"}, "search": {"message": "a"}}
