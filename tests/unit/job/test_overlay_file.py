"""Mapping files: where they are looked up, and the errors of broken ones."""

from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.job.overlay_file import find_overlay, shipped_mappings
from indexer.model.mapping.overlay import FieldOverlay
from indexer.model.table.table import Column, ColumnKind, ColumnType, Table, TableName


def table(name: str = "logs", *columns: str) -> Table:
    return Table(
        TableName(name, "doc"), tuple(Column((c,), ColumnType(ColumnKind.TEXT)) for c in columns or ("level",))
    )


def mapping_file(folder: Path, name: str, content: str) -> Path:
    path = folder / "mappings" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def test_a_named_file_takes_precedence_over_the_working_directory(tmp_path: Path) -> None:
    mapping_file(tmp_path, "logs", "fields: {level: text}")
    named = tmp_path / "mine.yaml"
    named.write_text("fields: {level: keyword}", encoding="utf-8")
    overlay, origin = find_overlay(table(), named, tmp_path)
    assert overlay.fields == {"level": FieldOverlay(type="keyword")}
    assert origin == str(named)


def test_the_working_directory_takes_precedence_over_shipped_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping_file(tmp_path, "logs", "fields: {level: {rename: severity}}")
    monkeypatch.chdir(tmp_path)
    overlay, origin = find_overlay(table())
    assert overlay.fields == {"level": FieldOverlay(rename="severity")}
    assert origin == "mappings/logs.yaml"


def test_only_the_fitting_part_of_a_shipped_file_is_used(tmp_path: Path) -> None:
    overlay, origin = find_overlay(table("logs", "level", "body"), directory=tmp_path)
    assert set(overlay.fields) == {"level"}
    assert origin.startswith("mappings/logs.yaml, as shipped, without service, ")


def test_a_table_without_a_file_has_an_empty_overlay(tmp_path: Path) -> None:
    overlay, origin = find_overlay(table("orders"), directory=tmp_path)
    assert not overlay.fields
    assert origin.startswith("none")


@pytest.mark.parametrize("name", ["../secret", "a/b", "..", ".hidden", "a\\b", "/etc/passwd", "analysis/nori"])
def test_a_table_name_cannot_escape_the_mappings_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "secret.yaml").write_text("fields: {level: keyword}", encoding="utf-8")
    (tmp_path / "mappings" / ".hidden.yaml").write_text("fields: {level: keyword}", encoding="utf-8")
    overlay, origin = find_overlay(table(name), directory=tmp_path)
    assert not overlay.fields
    assert origin.startswith("none")


def test_a_table_name_may_be_korean(tmp_path: Path) -> None:
    path = mapping_file(tmp_path, "로그", "fields: {level: keyword}")
    assert find_overlay(table("로그"), directory=tmp_path)[1] == str(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("fields:\n  level: {type: keyword\n", ["line 3", "not YAML"]),
        ("fields:\n  level: keyword\n  level: text\n", ["line 3", "level appears twice"]),
        ("fields:\n\tlevel: keyword\n", ["line 2", "not YAML"]),
        ("fields: !!python/object:os.system {}\n", ["line 1", "not YAML"]),
        ("fields: {lvel: keyword}\n", ["lvel", "level"]),
        ("\x00", ["not YAML"]),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_line(content: str, words: list[str], tmp_path: Path) -> None:
    path = mapping_file(tmp_path, "logs", content)
    with pytest.raises(UsageError) as refusal:
        find_overlay(table(), directory=tmp_path)
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)
    for word in words:
        assert word in str(refusal.value)


def test_a_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml cannot be read"):
        find_overlay(table(), tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"not UTF-8"):
        find_overlay(table(), path)


def test_every_shipped_file_is_well_formed(tmp_path: Path) -> None:
    names = [path.stem for path in shipped_mappings().glob("*.yaml")]
    assert "logs" in names
    for name in names:
        find_overlay(table(name), directory=tmp_path)


def test_korean_analyzers_are_ranked_nori_cjk_standard(tmp_path: Path) -> None:
    overlay, _ = find_overlay(table("orders"), directory=tmp_path)
    ways = sorted((way.rank, way.needs) for way in overlay.analyzers if way.serves == "korean")
    assert ways == [(1, "nori"), (2, "cjk"), (3, None)]
