"""Names of aliases and indexes."""

from datetime import UTC, datetime

import pytest

from indexer.errors import UsageError
from indexer.sink.index_name import index_name, is_index_name, matches_pattern, refuse_name

LATE = datetime(2026, 11, 22, 10, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("alias", ["logs", "logs-app", "app_logs-2026-eu", "a.b", "로그", "x" * 200, "mylogs-a-b"])
def test_names_that_elasticsearch_allows_are_allowed(alias: str) -> None:
    refuse_name(alias)


@pytest.mark.parametrize(
    ("alias", "why"),
    [
        ("", "empty"),
        ("My", "capitals"),
        ("a b", "' '"),
        ("a*", "'*'"),
        ("a,b", "','"),
        ("a/b", "'/'"),
        ("a:b", "':'"),
        ('a"b', "'\"'"),
        ("_a", "'_'"),
        ("-a", "'-'"),
        ("+a", "'+'"),
        (".a", "'.'"),
        ("..", "'.'"),
        ("x" * 201, "200 bytes"),
        ("로" * 67, "200 bytes"),
    ],
)
def test_names_that_elasticsearch_does_not_allow_are_refused(alias: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_name(alias)
    assert why in str(refused.value)
    assert "--index" in str(refused.value)


@pytest.mark.parametrize("alias", ["logs-nginx-prod", "metrics-a-b", "traces-a-b-c", "synthetics--"])
def test_names_that_a_full_elasticsearch_keeps_for_data_streams_are_refused(alias: str) -> None:
    with pytest.raises(UsageError, match="data streams"):
        refuse_name(alias)


def test_an_index_is_known_by_its_name() -> None:
    assert index_name("logs", LATE) == "logs_20261122_101500"
    assert is_index_name("logs", "logs_20261122_101500")


@pytest.mark.parametrize(
    "index", ["logs", "logs_app_20261122_101500", "xlogs_20261122_101500", "logs_20261122_101500_2"]
)
def test_other_names_are_not_taken_for_ours(index: str) -> None:
    assert not is_index_name("logs", index)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("logs*", "logs_1", True),
        ("*", "anything", True),
        ("*_1", "logs_1", True),
        ("logs-*-*", "logs-a-b", True),
        ("logs-*-*", "logs_a_b", False),
        ("l?gs", "logs", False),
        ("l.gs", "logs", False),
        ("logs", "logs_1", False),
    ],
)
def test_only_the_star_is_special_in_a_pattern(pattern: str, name: str, *, expected: bool) -> None:
    assert matches_pattern(pattern, name) is expected
