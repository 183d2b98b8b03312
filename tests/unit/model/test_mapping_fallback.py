"""Mappings: the features that are probed, and the fallbacks for missing ones."""

import pytest

from indexer.model.json import JsonObject
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.overlay import parse_overlay
from indexer.model.mapping.rules import required_features
from indexer.model.table.table import ColumnKind, ObjectPolicy
from tests.support.columns import column
from tests.support.mappings import BARE, KOREAN, mapping_of, properties, selection_of


def test_features_missing_in_the_cluster_are_replaced_and_reported() -> None:
    mapping = mapping_of(
        column("area", ColumnKind.GEO_SHAPE),
        column("v", ColumnKind.FLOAT_VECTOR, length=3),
        column("o", ColumnKind.OBJECT, policy=ObjectPolicy.IGNORED),
        column("price", ColumnKind.NUMERIC),
        column("path", ColumnKind.TEXT),
        overlay={
            "fields": {
                "price": {"type": "scaled_float", "scaling_factor": 100},
                "path": {"type": "text", "fields": {"w": "wildcard", "s": "percolator", "k": "keyword"}},
            }
        },
        capabilities=BARE,
    )
    found = properties(mapping)
    assert found["area"] == found["v"] == found["o"] == {"type": "object", "enabled": False}
    assert found["price"] == {"type": "double"}
    assert found["path"] == {"type": "text", "fields": {"w": {"type": "keyword"}, "k": {"type": "keyword"}}}
    assert [sentence.partition(":")[0] for sentence in mapping.fallbacks] == ["area", "v", "o", "price", "path"]
    assert "geo_shape" in mapping.fallbacks[0]
    assert "cannot be searched" in mapping.fallbacks[0]
    assert "scaled_float, so double" in mapping.fallbacks[3]


@pytest.mark.parametrize(
    ("available", "analysis", "field", "fallback"),
    [
        ({"nori", "cjk"}, {"type": "nori"}, {}, None),
        ({"cjk"}, {"type": "cjk"}, {}, "message: the cluster has no nori, so cjk serves as the analyzer korean."),
        (
            set(),
            {"type": "standard"},
            {"index_prefixes": {"min_chars": 2}},
            "message: the cluster has no nori, so standard serves as the analyzer korean.",
        ),
    ],
)
def test_korean_uses_the_best_available_analyzer(
    available: set[str], analysis: JsonObject, field: JsonObject, fallback: str | None
) -> None:
    mapping = mapping_of(
        column("message", ColumnKind.TEXT),
        overlay={"fields": {"message": {"type": "text", "analyzer": "korean"}}},
        capabilities=Capabilities("9.2.0", frozenset(available), frozenset()),
    )
    assert properties(mapping)["message"] == {"type": "text", "analyzer": "korean", **field}
    assert mapping.settings == {"analysis": {"analyzer": {"korean": analysis}}}
    assert mapping.fallbacks == ((fallback,) if fallback else ())


def test_a_missing_analyzer_becomes_standard_in_sub_fields_too() -> None:
    mapping = mapping_of(
        column("message", ColumnKind.TEXT),
        overlay={"fields": {"message": {"fields": {"en": {"type": "text", "analyzer": "english"}}}}},
    )
    assert properties(mapping)["message"] == {
        "type": "text",
        "fields": {"en": {"type": "text", "analyzer": "standard"}},
    }
    assert mapping.fallbacks == (
        "message.en: the cluster has no analyzer english, so standard serves as the analyzer english.",
    )


def test_an_analyzer_defined_in_the_overlay_is_unchanged() -> None:
    analysis = {"analyzer": {"korean": {"type": "custom", "tokenizer": "whitespace"}}}
    mapping = mapping_of(
        column("message", ColumnKind.TEXT),
        overlay={"fields": {"message": {"type": "text", "analyzer": "korean"}}, "settings": {"analysis": analysis}},
    )
    assert properties(mapping)["message"] == {"type": "text", "analyzer": "korean"}
    assert mapping.settings == {"analysis": analysis}
    assert not mapping.fallbacks


def test_only_features_that_a_cluster_may_lack_are_probed() -> None:
    selection = selection_of(
        column("a", ColumnKind.TEXT),
        column("b", ColumnKind.TEXT),
        column("o", ColumnKind.OBJECT, column("o.area", ColumnKind.GEO_SHAPE)),
        column("i", ColumnKind.OBJECT, policy=ObjectPolicy.IGNORED),
    )
    overlay = parse_overlay(
        {
            "fields": {
                "a": {"analyzer": "korean", "fields": {"w": "wildcard", "e": {"type": "text", "analyzer": "english"}}},
                "b": {"analyzer": "mine", "search_analyzer": "simple"},
            },
            "settings": {"analysis": {"analyzer": {"mine": {"type": "simple"}}}},
        },
        "m.yaml",
        KOREAN,
    )
    features = required_features(selection, overlay)
    assert features.analyzers == {"nori", "cjk", "english"}
    assert features.field_types == {"geo_shape", "flattened", "wildcard"}
    assert required_features(selection.table, overlay) == features
