"""The search command finds Korean words, whatever analyzer the server has."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from indexer.access import TargetAccess
from indexer.job.overlay_file import find_overlay
from indexer.model.json import Row
from indexer.model.table.table import ColumnKind, Table, TableName
from indexer.sink.client import connect
from indexer.sink.index import Indexes
from tests.support.columns import column
from tests.support.commands import run
from tests.support.loaded_index import load_index

pytestmark = pytest.mark.elasticsearch

MESSAGES = ["삼성전자는 반도체를 개발한다.", "현대자동차는 자동차를 판매한다.", "Payment failed: Timeout after 3000 ms"]
TABLE = Table(
    TableName("logs"),
    (column("id", ColumnKind.INTEGER), column("message", ColumnKind.TEXT), column("service", ColumnKind.TEXT)),
    primary_key=("id",),
)


@pytest.fixture(scope="module")
def served(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An alias of the messages, mapped by the shipped overlay of `logs`."""
    alias = f"test_search_korean_{uuid4().hex[:12]}"
    overlay, _ = find_overlay(TABLE, directory=tmp_path_factory.mktemp("elsewhere"))
    rows: list[Row] = [[n, message, "auth"] for n, message in enumerate(MESSAGES)]
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        index = load_index(cluster, alias, TABLE, overlay, rows).index
        Indexes(cluster).switch(alias, index)
        yield alias
        Indexes(cluster).delete(index)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("반도체 개발", 0),
        ("반도체 AND service:auth", 0),
        ("message:반도체", 0),
        ('"반도체를 개발한다"', 0),
        ("삼성전자는 반도체를 개발한다.", 0),
        ("message:(반도체 AND 개발)", 0),
        ("자동차 -반도체", 1),
        ("자동*", 1),
        ("반도체 판매", None),
        ("반도체 AND service:결제", None),
    ],
)
def test_korean_words_are_found(query: str, message: int | None, served: str, elasticsearch_url: str) -> None:
    ended = run("indexer", "search", query, "--index", served, "--target", elasticsearch_url)
    assert (ended.code, ended.err.startswith("error")) == (0 if message is not None else 1, False), ended.err
    assert [line for line in MESSAGES if line in ended.out] == ([] if message is None else [MESSAGES[message]])
