"""The table of Korean lines and queries, with the analyzer that this server has."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from indexer.access import TargetAccess
from indexer.job.overlay_file import find_overlay
from indexer.model.table.table import ColumnKind, Table, TableName
from indexer.query.search import Search, search_alias
from indexer.sink.client import connect
from tests.support.columns import column
from tests.support.documentation import ROOT
from tests.support.korean_cases import CASES, Case
from tests.support.loaded_index import load_index

pytestmark = pytest.mark.elasticsearch

ORDER = ("particle", "ending", "compound", "spacing", "mixed", "product", "not")
TABLE = Table(
    TableName("logs"),
    (column("id", ColumnKind.INTEGER), column("message", ColumnKind.TEXT)),
    primary_key=("id",),
)


@pytest.fixture(scope="module")
def korean(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Search, str]]:
    """An index of the lines, and its analyzer: nori, cjk or standard."""
    alias = f"test_korean_{uuid4().hex[:12]}"
    overlay, _ = find_overlay(TABLE, directory=tmp_path_factory.mktemp("elsewhere"))
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        made = load_index(cluster, alias, TABLE, overlay, [[n, case.line] for n, case in enumerate(CASES)])
        yield Search(cluster, made.index), made.mapping.analyzers["korean"].split()[0]
        cluster.client.indices.delete(index=made.index)


def test_the_table_has_forty_lines_of_every_kind() -> None:
    assert len(CASES) == len({case.line for case in CASES}) == 40
    assert {case.kind for case in CASES} == set(ORDER)


def test_the_figures_on_the_korean_page_are_right() -> None:
    page = (ROOT / "docs" / "korean.md").read_text(encoding="utf-8")
    table = page.partition("| difficulty | lines |")[2].partition("\n\n")[0]
    told = re.findall(r"^\| .* \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", table, flags=re.MULTILINE)
    of = {kind: [case for case in CASES if case.kind == kind] for kind in ORDER}
    right = [
        (len(cases), sum(case.standard for case in cases), sum(case.cjk for case in cases), len(cases))
        for cases in map(of.get, ORDER)
        if cases
    ]
    assert right == [tuple(map(int, row)) for row in told]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case.kind}: {case.query}" for case in CASES])
def test_each_line_is_found_as_the_table_says(korean: tuple[Search, str], number: int) -> None:
    asked, analyzer = korean
    case: Case = CASES[number]
    hits = search_alias(asked.cluster, asked.alias, case.query, size=100).hits
    right = (str(number) in {hit.id for hit in hits}) == case.found
    assert right == {"standard": case.standard, "cjk": case.cjk, "nori": True}[analyzer], (case, hits)
