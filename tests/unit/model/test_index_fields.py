"""What a live mapping tells of its fields, and what a search makes of it."""

import pytest

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.index_fields import read_index_fields
from indexer.model.mapping.search_hints import hints_of
from tests.support.index_mapping import MAPPING

FIELDS = read_index_fields([MAPPING], "logs")


def test_words_are_looked_for_in_the_text_fields() -> None:
    assert FIELDS.texts == ("message", "note")


def test_a_field_with_prefixes_is_known() -> None:
    assert FIELDS.prefixed == {"message"}


@pytest.mark.parametrize(("name", "kind"), [("attrs.pod", "keyword"), ("attrs", "object"), ("labels.a.b", "keyword")])
def test_a_field_has_a_type(name: str, kind: str) -> None:
    assert FIELDS.type(name) == kind


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("message", "use message.keyword"),
        ("note", "sub-field keyword"),
        ("attrs", "object"),
        ("servce", "Did you mean service"),
    ],
)
def test_what_has_no_order_cannot_be_counted(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        FIELDS.exact(name, "--top")


def test_the_usual_names_are_known() -> None:
    hints = hints_of(FIELDS)
    assert (hints.time, hints.level, hints.message) == ("ts", "level", "message")
    assert hints.columns == ("ts", "level", "service", "message")
    assert hints.shorthands["trace-id"] == "trace_id"


def test_what_the_index_says_of_itself_wins() -> None:
    said: JsonObject = {"search": {"message": "note", "columns": ["note"], "shorthands": {"pod": "attrs.pod"}}}
    hints = hints_of(read_index_fields([{**MAPPING, "_meta": said}]))
    assert (hints.message, hints.columns, hints.shorthands["pod"]) == ("note", ("note",), "attrs.pod")


@pytest.mark.parametrize("said", [{"search": {"other": 1}}, {"search": 5}, {"search": {"time": "gone"}}])
def test_what_another_version_says_of_the_index_is_passed_over(said: JsonObject) -> None:
    assert hints_of(read_index_fields([{**MAPPING, "_meta": said}])) == hints_of(FIELDS)
