"""`indexer mapping` on real servers: printed, begun as a file, and held against a live index."""

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


def test_a_mapping_is_printed_with_who_decided_it(table: str, servers: tuple[str, ...], tmp_path: Path) -> None:
    overlay(tmp_path, "fields: {level: keyword, message: {type: text, analyzer: korean}}")
    ended = run("indexer", "mapping", "--table", table, *servers, cwd=tmp_path)
    lines = {line.split()[0]: line.split() for line in ended.out.splitlines() if line.strip()}
    assert lines["n"][-2:] == ["type", "rule"]
    assert (lines["level"][3], lines["level"][-1]) == ("keyword", "overlay")
    assert lines["analyzer"][1] == "korean:"


def test_an_overlay_is_begun_and_changes_nothing_yet(table: str, servers: tuple[str, ...], tmp_path: Path) -> None:
    asked = ("indexer", "mapping", "--table", table, *servers)
    before = json.loads(run(*asked, "--json", cwd=tmp_path).out)
    assert run(*asked, "--init", cwd=tmp_path).out == "Written: mappings/t.yaml\n"
    after = json.loads(run(*asked, "--json", cwd=tmp_path).out)
    assert (after["mappings"], after["overlay"]) == (before["mappings"], "mappings/t.yaml")
    again = run(*asked, "--init", cwd=tmp_path)
    assert (again.code, "is there already" in again.err) == (2, True)
    text = (tmp_path / "mappings" / "t.yaml").read_text(encoding="utf-8")
    overlay(tmp_path, text.replace("  # level: ", "  level: keyword  # "))
    assert run(*asked, "--json", cwd=tmp_path).out.count('"overlay"') > 1


def test_check_tells_what_needs_a_reindex(table: str, servers: tuple[str, ...], alias: str, tmp_path: Path) -> None:
    overlay(tmp_path, "{fields: {level: keyword, message: {type: text, analyzer: korean}}, search: {message: message}}")
    named = ("--table", table, *servers)
    moved = run("reindex", *named, "--index", alias, cwd=tmp_path)
    assert moved.code == 0, moved.err
    check = ("indexer", "mapping", *named, "--check", alias)
    assert run(*check, cwd=tmp_path) == Ended(0, f"{alias} is as a reindex would make it.\n", "")
    overlay(
        tmp_path, "{fields: {level: {type: keyword, ignore_above: 10}, n: integer}, settings: {number_of_replicas: 0}}"
    )
    ended = run(*check, "--json", cwd=tmp_path)
    found = {one["name"]: one["reindex"] for one in json.loads(ended.out)}
    assert ended.code == 1
    assert found["n: type"]
    assert found["message: analyzer"]
    assert not found["level: ignore_above"]


def test_a_search_uses_what_the_index_says(table: str, servers: tuple[str, ...], alias: str, tmp_path: Path) -> None:
    overlay(tmp_path, "{fields: {message: {type: text, analyzer: korean}}, search: {shorthands: {number: n}}}")
    assert run("reindex", "--table", table, *servers, "--index", alias, cwd=tmp_path).code == 0
    asked = ("indexer", "search", "반도체", "--index", alias, "--target", servers[3], "--count")
    assert run(*asked, "--number", "5").out == "1\n"
    assert run(*asked, "--number", "6").out == "0\n"


def test_one_thing_is_asked_at_once(table: str, servers: tuple[str, ...]) -> None:
    ended = run("indexer", "mapping", "--table", table, *servers, "--check", "x", "--template", "x*")
    assert ended.code == 2
    assert "--init, --check and --template cannot be asked for at once" in ended.err


def test_bad_input_is_one_sentence(table: str, servers: tuple[str, ...]) -> None:
    ended = run("indexer", "mapping", "--table", table, *servers, "--check", "no_such_index_here")
    assert (ended.code, ended.err) == (
        2,
        "error: There is no index or alias no_such_index_here: correct the name after --check.\n",
    )
