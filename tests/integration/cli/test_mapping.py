"""`indexer mapping` on real servers: print, --init and --check."""

import json
from pathlib import Path

import pytest

from indexer.sandbox.cratedb_table import Cursor
from tests.support.commands import Ended, run

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.fixture
def table(crate_cursor: Cursor, schema: str) -> str:
    crate_cursor.execute(f'CREATE TABLE "{schema}".t (id INTEGER PRIMARY KEY, level TEXT, message TEXT, n BIGINT)')
    crate_cursor.execute(f"INSERT INTO \"{schema}\".t VALUES (1, 'INFO', '반도체를 개발한다', 5)")
    crate_cursor.execute(f'REFRESH TABLE "{schema}".t')
    return f'"{schema}".t'


@pytest.fixture
def servers(cratedb_url: str, elasticsearch_url: str) -> tuple[str, ...]:
    return ("--source", cratedb_url, "--target", elasticsearch_url)


def overlay(folder: Path, text: str) -> None:
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "t.yaml").write_text(text, encoding="utf-8")


def test_mapping_shows_whether_overlay_or_type_rule_decided_each_field(
    table: str, servers: tuple[str, ...], tmp_path: Path
) -> None:
    overlay(tmp_path, "fields: {level: keyword, message: {type: text, analyzer: korean}}")
    ended = run("indexer", "mapping", "--table", table, *servers, cwd=tmp_path)
    lines = {line.split()[0]: line.split() for line in ended.out.splitlines() if line.strip()}
    assert lines["n"][-2:] == ["type", "rule"]
    assert (lines["level"][2], lines["level"][-1]) == ("keyword", "overlay")
    assert lines["analyzer"][1] == "korean"


def test_init_writes_an_overlay_that_changes_nothing_until_edited(
    table: str, servers: tuple[str, ...], tmp_path: Path
) -> None:
    asked = ("indexer", "mapping", "--table", table, *servers)
    before = json.loads(run(*asked, "--json", cwd=tmp_path).out)
    assert run(*asked, "--init", cwd=tmp_path).out == "Wrote mappings/t.yaml.\n"
    after = json.loads(run(*asked, "--json", cwd=tmp_path).out)
    assert (after["mappings"], after["overlay"]) == (before["mappings"], "mappings/t.yaml")
    again = run(*asked, "--init", cwd=tmp_path)
    assert (again.code, "exists already" in again.err) == (2, True)
    text = (tmp_path / "mappings" / "t.yaml").read_text(encoding="utf-8")
    overlay(tmp_path, text.replace("  # level: ", "  level: keyword  # "))
    assert run(*asked, "--json", cwd=tmp_path).out.count('"overlay"') > 1


def test_check_reports_which_differences_need_a_reindex(
    table: str, servers: tuple[str, ...], alias: str, tmp_path: Path
) -> None:
    overlay(tmp_path, "{fields: {level: keyword, message: {type: text, analyzer: korean}}, search: {message: message}}")
    named = ("--table", table, *servers)
    moved = run("reindex", *named, "--index", alias, cwd=tmp_path)
    assert moved.code == 0, moved.err
    check = ("indexer", "mapping", *named, "--check", alias)
    assert run(*check, cwd=tmp_path) == Ended(0, f"{alias} is as reindex would create it.\n", "")
    overlay(
        tmp_path, "{fields: {level: {type: keyword, ignore_above: 10}, n: integer}, settings: {number_of_replicas: 0}}"
    )
    ended = run(*check, "--json", cwd=tmp_path)
    found = {one["name"]: one["reindex"] for one in json.loads(ended.out)}
    assert ended.code == 1
    assert found["n: type"]
    assert found["message: analyzer"]
    assert not found["level: ignore_above"]


def test_search_uses_the_shorthands_stored_in_the_index(
    table: str, servers: tuple[str, ...], alias: str, tmp_path: Path
) -> None:
    overlay(tmp_path, "{fields: {message: {type: text, analyzer: korean}}, search: {shorthands: {number: n}}}")
    assert run("reindex", "--table", table, *servers, "--index", alias, cwd=tmp_path).code == 0
    asked = ("indexer", "search", "반도체", "--index", alias, "--target", servers[3], "--count")
    assert run(*asked, "--number", "5").out == "1\n"
    assert run(*asked, "--number", "6").out == "0\n"


def test_init_check_and_template_are_mutually_exclusive(table: str, servers: tuple[str, ...]) -> None:
    ended = run("indexer", "mapping", "--table", table, *servers, "--check", "x", "--template", "x*")
    assert ended.code == 2
    assert "--init, --check and --template are mutually exclusive" in ended.err


def test_an_unknown_index_is_refused_in_one_sentence(table: str, servers: tuple[str, ...]) -> None:
    ended = run("indexer", "mapping", "--table", table, *servers, "--check", "no_such_index_here")
    assert (ended.code, ended.err) == (
        2,
        "error: There is no index or alias no_such_index_here; correct the name after --check.\n",
    )
