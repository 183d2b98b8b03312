"""Query-string searches on a real server."""

from collections.abc import Iterator

import pytest

from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.query.search import search_alias
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from tests.support.bulk_lines import line, new_index

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as connected:
        yield connected


@pytest.fixture
def served(cluster: Cluster, alias: str) -> str:
    name = new_index(cluster, alias)
    BulkWriter(cluster, name).write(
        [
            line("a", text="timeout in the connection pool", word="payments", n=5, ip="10.0.0.1", at=1_000),
            line("b", text="pool is full", word="payments", n=7, ip="10.0.0.2", at=2_000),
            line("c", text="timeout: timeout", word="orders", n=9, ip="10.0.1.1", at=3_000),
        ]
    )
    Indexes(cluster).finish(name, {})
    Indexes(cluster).switch(alias, name)
    return alias


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("timeout", "ac"),
        ("timeout pool", "a"),
        ("timeout OR pool", "abc"),
        ("timeout AND payments", ""),
        ("timeout AND word:payments", "a"),
        ("timeout AND word:orders", "c"),
        ("timeout NOT word:orders", "a"),
        ("n:7", "b"),
        ("n:[7 TO 9]", "bc"),
        ("n:>=9", "c"),
        ("ip:10.0.0.0\\/24", "ab"),
        ('"connection pool"', "a"),
        ("time*", "ac"),
        ("*", "abc"),
        ("nothing", ""),
        ("", "abc"),
    ],
)
def test_a_query_finds_the_expected_documents(cluster: Cluster, served: str, query: str, expected: str) -> None:
    found = search_alias(cluster, served, query)
    assert sorted(hit.id for hit in found.hits) == sorted(expected)
    assert found.total == len(expected)


def test_hits_are_sorted_by_score_and_have_their_source(cluster: Cluster, served: str) -> None:
    best, second = search_alias(cluster, served, "text:timeout").hits
    assert (best.id, second.id) == ("c", "a")
    assert best.score > second.score > 0
    assert best.source == {"text": "timeout: timeout", "word": "orders", "n": 9, "ip": "10.0.1.1", "at": 3_000}


def test_size_limits_the_hits_but_not_the_total(cluster: Cluster, served: str) -> None:
    found = search_alias(cluster, served, "*", size=1)
    assert (found.total, len(found.hits)) == (3, 1)
    assert search_alias(cluster, served, "*", size=0).hits == ()


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("timeout AND (", "column 14"),
        ('"open', "column 7"),
        ("n:[1 TO", "column 8"),
        ("AND", "column 1"),
        ("timeout\nAND (", "column 14"),
    ],
)
def test_a_syntax_error_in_a_query_is_refused_with_its_column(
    cluster: Cluster, served: str, query: str, where: str
) -> None:
    with pytest.raises(UsageError) as refused:
        search_alias(cluster, served, query)
    assert where in str(refused.value)
    assert f"'{query}'" in str(refused.value)


@pytest.mark.parametrize("size", [-1, 10_001])
def test_an_invalid_size_is_refused(cluster: Cluster, served: str, size: int) -> None:
    with pytest.raises(UsageError, match=r"size|window"):
        search_alias(cluster, served, "*", size=size)


def test_a_missing_alias_is_refused_with_the_command_that_creates_it(cluster: Cluster, alias: str) -> None:
    with pytest.raises(UsageError, match=rf"no alias {alias}.*reindex --table"):
        search_alias(cluster, alias, "*")
