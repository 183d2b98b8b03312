"""Overlays: what a mapping file may say, and how it is refused."""

import pytest

from indexer.errors import UsageError
from indexer.model.mapping.overlay import FieldOverlay, parse_overlay
from indexer.model.mapping.rules import check_overlay, fit_overlay, kept_columns
from indexer.model.table.table import ColumnKind, Table, TableName
from tests.support.columns import column

TABLE = Table(
    TableName("logs", "doc"),
    (
        column("id", ColumnKind.BIGINT),
        column("level", ColumnKind.TEXT),
        column("message", ColumnKind.TEXT),
        column("attrs", ColumnKind.OBJECT, column("attrs.pod", ColumnKind.TEXT)),
        column("tags", ColumnKind.TEXT, array=1),
        column("location", ColumnKind.GEO_POINT),
    ),
    primary_key=("id",),
)


def test_a_bare_word_is_the_type() -> None:
    overlay = parse_overlay({"fields": {"level": "keyword"}}, "m.yaml")
    assert overlay.fields == {"level": FieldOverlay(type="keyword")}


def test_a_bare_word_is_the_type_of_a_sub_field_too() -> None:
    overlay = parse_overlay({"fields": {"message": {"type": "text", "fields": {"raw": "keyword"}}}}, "m.yaml")
    option = overlay.fields["message"]
    assert option is not False
    assert option.definition() == {"type": "text", "fields": {"raw": {"type": "keyword"}}}


def test_false_leaves_the_field_out() -> None:
    assert parse_overlay({"fields": {"level": False}}, "m.yaml").fields == {"level": False}


def test_an_empty_file_is_an_empty_overlay() -> None:
    overlay = parse_overlay(None, "m.yaml")
    assert (overlay.fields, overlay.settings, overlay.id_columns) == ({}, {}, ())


@pytest.mark.parametrize(("written", "columns"), [("host", ("host",)), (["host", "seq"], ("host", "seq"))])
def test_id_is_one_name_or_several(written: object, columns: tuple[str, ...]) -> None:
    assert parse_overlay({"id": written}, "m.yaml").id_columns == columns


@pytest.mark.parametrize(
    "settings",
    [
        {"number_of_shards": 2, "analysis": {"analyzer": {"mine": {"type": "simple"}}}},
        {"index": {"number_of_shards": 2}, "analysis.analyzer.mine.type": "simple"},
        {"index.number_of_shards": 2, "index.analysis": {"analyzer.mine": {"type": "simple"}}},
    ],
)
def test_settings_are_one_however_they_are_nested(settings: object) -> None:
    overlay = parse_overlay({"settings": settings}, "m.yaml")
    assert overlay.settings == {"number_of_shards": 2, "analysis": {"analyzer": {"mine": {"type": "simple"}}}}
    assert overlay.own_analyzers == {"mine"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"field": {}}, ["unknown key field", "mean fields"]),
        ({"fields": {"message": {"analyser": "x"}}}, ["message", "unknown key analyser", "analyzer"]),
        ({"fields": {"message": {"fields": {"raw": {"ignore_abov": 1}}}}}, ["ignore_abov", "mean ignore_above"]),
        ({"fields": {"message": {"fields": {"raw": {"rename": "x"}}}}}, ["message", "rename"]),
        ({"fields": {"level": "keywrod"}}, ["level", "'keywrod'", "mean keyword"]),
        ({"fields": {"message": {"fields": {"raw": "txet"}}}}, ["message", "raw", "'txet'", "text"]),
        ({"fields": {"level": True}}, ["level", "True", "false to leave it out"]),
        ({"fields": {"level": None}}, ["level", "None"]),
        ({"fields": {"level": ["keyword"]}}, ["level", "['keyword']"]),
        ({"fields": {"level": {"ignore_above": -1}}}, ["level", "-1", "ignore_above", "greater than or equal to 0"]),
        ({"fields": {"level": {"rename": "a.b"}}}, ["level", "'a.b'", "without dots"]),
        ({"fields": {"level": {"rename": ""}}}, ["level", "''"]),
        (["fields"], ["begin with `fields:`"]),
        ({"fields": {False: "keyword"}}, ["fields"]),
        ({"id": 3}, ["3", "id"]),
        ({"settings": {"a": 1, "a.b": 2}}, ["setting a.b", "twice"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(content: object, words: list[str]) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_overlay(content, "m.yaml")
    message = str(refusal.value)
    assert message.startswith("m.yaml")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"fields": {"lvel": "keyword"}}, ["doc.logs", "lvel", "mean level"]),
        ({"fields": {"attrs.pdo": False}}, ["attrs.pdo", "mean attrs.pod"]),
        ({"fields": {"attrs": "keyword"}}, ["attrs is OBJECT", "keyword", "nested or flattened"]),
        ({"fields": {"level": "nested"}}, ["level is TEXT", "nested"]),
        ({"id": "idd"}, ["idd", "mean id"]),
        ({"id": ["level", "attrs"]}, ["attrs is OBJECT", "`id`"]),
        ({"id": ["tags"]}, ["tags", "`id`"]),
        ({"id": ["location"]}, ["location", "`id`"]),
    ],
)
def test_what_does_not_fit_the_table_is_refused_by_name(content: object, words: list[str]) -> None:
    with pytest.raises(UsageError) as refusal:
        check_overlay(parse_overlay(content, "m.yaml"), TABLE)
    for word in ["m.yaml", *words]:
        assert word in str(refusal.value)


def test_what_fits_the_table_is_accepted() -> None:
    content = {
        "fields": {"level": "keyword", "attrs": "flattened", "attrs.pod": False, "tags": "keyword"},
        "id": ["level", "attrs.pod"],
    }
    check_overlay(parse_overlay(content, "m.yaml"), TABLE)


def test_a_value_may_be_kept_without_being_parsed() -> None:
    check_overlay(parse_overlay({"fields": {"message": {"type": "object", "enabled": False}}}, "m.yaml"), TABLE)


def test_the_fitting_part_leaves_the_rest_behind() -> None:
    content = {"fields": {"level": "keyword", "trace": "keyword", "attrs": "ip"}, "id": "trace"}
    part = fit_overlay(parse_overlay(content, "m.yaml"), TABLE)
    assert set(part.fields) == {"level"}
    assert part.id_columns == ()


def test_columns_that_are_left_out_are_not_read() -> None:
    overlay = parse_overlay({"fields": {"level": False, "attrs.pod": False}}, "m.yaml")
    assert kept_columns(TABLE, overlay) == ("id", "message", "attrs", "tags", "location")
    assert kept_columns(TABLE, overlay, ("level", "id")) == ("id",)


def test_an_overlay_that_leaves_nothing_is_refused() -> None:
    overlay = parse_overlay({"fields": {"level": False}}, "m.yaml")
    with pytest.raises(UsageError, match=r"m\.yaml leaves out every column of level"):
        kept_columns(TABLE, overlay, ("level",))
