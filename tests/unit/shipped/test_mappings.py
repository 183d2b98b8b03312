"""Every mapping file that is shipped is well-formed, and fits the table that it is for."""

from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.job.overlay_file import find_overlay, shipped_mappings
from indexer.model.table.table import ColumnKind, Table, TableName
from indexer.sandbox.loghub import SYSTEMS
from tests.support.columns import column

LOGHUB = {
    "apache": "line_id time level content event_id event_template",
    "bgl": "line_id label timestamp date node time node_repeat type component level content event_id event_template",
    "hdfs": "line_id date time pid level component content event_id event_template",
    "healthapp": "line_id time component pid content event_id event_template",
    "linux": "line_id month date time level component pid content event_id event_template",
    "openssh": "line_id date day time component pid content event_id event_template",
    "spark": "line_id date time level component content event_id event_template",
    "zookeeper": "line_id date time level node component id content event_id event_template",
}


def table(name: str, columns: str) -> Table:
    return Table(TableName(name), tuple(column(one, ColumnKind.TEXT) for one in columns.split()))


@pytest.mark.parametrize("name", [system.lower() for system in SYSTEMS])
def test_a_loghub_overlay_names_only_columns_of_its_table(name: str) -> None:
    path = shipped_mappings() / f"{name}.yaml"
    overlay, _ = find_overlay(table(name, LOGHUB[name]), path)
    assert overlay.search.message == "content"


def test_web_access_logs_have_an_overlay() -> None:
    columns = "ts client_ip user host method protocol status bytes duration_ms path query referrer user_agent"
    overlay, _ = find_overlay(table("access_logs", columns), shipped_mappings() / "access_logs.yaml")
    assert overlay.search.shorthands["ip"] == "client_ip"


def test_a_search_part_that_names_no_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("search: {message: mesage}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"m.yaml: search: .* no column mesage.* Did you mean message"):
        find_overlay(table("t", "id message"), path)


def test_an_unknown_word_in_the_search_part_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("search: {mesage: message}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"unknown key search.mesage.* Did you mean message"):
        find_overlay(table("t", "id message"), path)
