"""Korean on a real Elasticsearch: the same words are found with every analyzer."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from indexer.access import TargetAccess
from indexer.job.overlay_file import find_overlay
from indexer.model.json import JsonObject
from indexer.model.table.table import ColumnKind, Table, TableName
from indexer.sink.client import connect
from tests.support.columns import column
from tests.support.loaded_index import LoadedIndex, load_index

pytestmark = pytest.mark.elasticsearch

MESSAGES = ["삼성전자는 반도체를 개발한다.", "현대자동차는 자동차를 판매한다.", "Payment failed: Timeout after 3000 ms"]
TABLE = Table(
    TableName("logs"),
    (column("id", ColumnKind.INTEGER), column("message", ColumnKind.TEXT)),
    primary_key=("id",),
)


@pytest.fixture(scope="module")
def korean(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedIndex]:
    """An index of the messages, mapped by the shipped overlay of `logs`."""
    alias = f"test_mapping_korean_{uuid4().hex[:12]}"
    overlay, _ = find_overlay(TABLE, directory=tmp_path_factory.mktemp("elsewhere"))
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        yield load_index(cluster, alias, TABLE, overlay, [[n, message] for n, message in enumerate(MESSAGES)])
        for index in cluster.client.indices.get(index=f"{alias}*"):
            cluster.client.indices.delete(index=index)


def message(korean: LoadedIndex) -> JsonObject:
    """The mapping of the message field."""
    return korean.mapping.fields[1].definition


def words(korean: LoadedIndex, text: str) -> JsonObject:
    """A query for all words: by prefix if the field indexes prefixes (its analyzer keeps particles), else a match."""
    if "index_prefixes" not in message(korean):
        return {"match": {"message": {"query": text, "operator": "and"}}}
    tokens = korean.cluster.client.indices.analyze(index=korean.index, field="message", text=text).body["tokens"]
    return {"bool": {"must": [{"prefix": {"message": token["token"]}} for token in tokens]}}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("반도체 개발", ["0"]),
        ("반도체를 개발한다", ["0"]),
        ("삼성전자", ["0"]),
        ("자동차 판매", ["1"]),
        ("반도체 판매", []),
        ("timeout payment", ["2"]),
        ("TIMEOUT 3000", ["2"]),
    ],
)
def test_korean_and_english_words_are_found(text: str, rows: list[str], korean: LoadedIndex) -> None:
    assert korean.found(words(korean, text)) == rows


def test_the_mapping_names_the_analyzer_used_for_korean(korean: LoadedIndex) -> None:
    live = korean.cluster.client.indices.get_settings(index=korean.index).body[korean.index]["settings"]["index"]
    kind = live["analysis"]["analyzer"]["korean"]["type"]
    assert message(korean)["analyzer"] == "korean"
    assert (kind == "nori") == (korean.mapping.fallbacks == ())
    assert all(f"so {kind}" in sentence for sentence in korean.mapping.fallbacks)


def test_a_prefix_query_uses_index_prefixes(korean: LoadedIndex) -> None:
    if "index_prefixes" not in message(korean):
        pytest.skip("this Elasticsearch has a Korean analyzer, so no prefixes are indexed")
    answer = korean.cluster.client.search(index=korean.index, query={"prefix": {"message": "반도체"}}, profile=True)
    assert "message._index_prefix" in str(answer.body["profile"]["shards"])
