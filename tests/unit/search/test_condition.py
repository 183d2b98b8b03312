"""Conditions are typed by the mapping."""

from datetime import UTC, datetime

import pytest

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.index_fields import read_index_fields
from indexer.search.condition import filter_of, parse_condition
from tests.support.index_mapping import MAPPING

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
FIELDS = read_index_fields([MAPPING], "logs")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("status=500", {"term": {"status": {"value": 500}}}),
        ("latency_ms > 300", {"range": {"latency_ms": {"gt": 300.0}}}),
        ("latency_ms<=0.5", {"range": {"latency_ms": {"lte": 0.5}}}),
        ("status!=500", {"bool": {"must_not": {"term": {"status": {"value": 500}}}}}),
        ("status!=*", {"bool": {"must_not": {"exists": {"field": "status"}}}}),
        ("service=a=b", {"term": {"service": {"value": "a=b"}}}),
        ("attrs.pod=x", {"term": {"attrs.pod": {"value": "x"}}}),
        ("labels.any.key=x", {"term": {"labels.any.key": {"value": "x"}}}),
        ("done=TRUE", {"term": {"done": {"value": True}}}),
        ("ip=10.0.0.9/8", {"term": {"ip": {"value": "10.0.0.0/8"}}}),
        ("ip>10.0.0.9", {"range": {"ip": {"gt": "10.0.0.9"}}}),
        ("ts>=1970-01-02T00:00Z", {"range": {"ts": {"gte": 86_400_000, "format": "epoch_millis"}}}),
        ("message=whole text", {"term": {"message.keyword": "whole text"}}),
        ("message~pool timeout", {"match": {"message": {"query": "pool timeout", "operator": "and"}}}),
    ],
)
def test_a_condition_becomes_a_query(text: str, query: JsonObject) -> None:
    assert filter_of(parse_condition(text), FIELDS, NOW) == query


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("status", "write FIELD=VALUE"),
        ("=5", "write FIELD=VALUE"),
        ("status=", "write FIELD=VALUE"),
        ("statsu=500", "no field statsu.*Did you mean status"),
        ("status=many", "status is integer, and 'many' is not"),
        ("latency_ms>fast", "latency_ms is double"),
        ("done=maybe", "done is boolean"),
        ("done>true", "no order"),
        ("ip=10.0.0", "ip is ip"),
        ("ts>soon", "is not a time"),
        ("message>a", "use message.keyword"),
        ("note=a", "use ~ for words"),
        (f"message={'x' * 300}", "at most 256 characters"),
        ("status~500", "~ looks for words"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        filter_of(parse_condition(text), FIELDS, NOW)
