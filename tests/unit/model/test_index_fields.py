"""Fields of a live mapping, and the search hints derived from them."""

import pytest

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.index_fields import read_index_fields
from indexer.model.mapping.search_hints import resolve_hints
from tests.support.index_mapping import MAPPING

FIELDS = read_index_fields([MAPPING], "logs")


def test_words_are_searched_in_text_fields() -> None:
    assert FIELDS.texts == ("message", "note")


def test_a_field_with_index_prefixes_is_recognized() -> None:
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
def test_a_field_that_cannot_be_aggregated_is_refused_with_a_remedy(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        FIELDS.sortable(name, "--top")


def test_common_field_names_are_recognized() -> None:
    hints = resolve_hints(FIELDS)
    assert (hints.time, hints.level, hints.message) == ("ts", "level", "message")
    assert hints.columns == ("ts", "level", "service", "message")
    assert hints.shorthands["trace-id"] == "trace_id"


def test_hints_stored_in_the_index_take_precedence() -> None:
    meta: JsonObject = {"search": {"message": "note", "columns": ["note"], "shorthands": {"pod": "attrs.pod"}}}
    hints = resolve_hints(read_index_fields([{**MAPPING, "_meta": meta}]))
    assert (hints.message, hints.columns, hints.shorthands["pod"]) == ("note", ("note",), "attrs.pod")


@pytest.mark.parametrize("meta", [{"search": {"other": 1}}, {"search": 5}, {"search": {"time": "gone"}}])
def test_unknown_hints_of_another_version_are_ignored(meta: JsonObject) -> None:
    assert resolve_hints(read_index_fields([{**MAPPING, "_meta": meta}])) == resolve_hints(FIELDS)
