"""The outcome of a bulk response, item by item."""

import pytest

from indexer.model.document.bulk_response import BulkResponse, dead_letter, error_reason, read_bulk_response
from indexer.model.json import Json, JsonObject

CREATED: JsonObject = {"index": {"status": 201}}
UPDATED: JsonObject = {"index": {"status": 200}}


def failed(status: Json, type_: str = "some_exception", reason: str = "it broke") -> JsonObject:
    return {"index": {"status": status, "error": {"type": type_, "reason": reason}}}


def response(*items: Json) -> JsonObject:
    return {"errors": any(item not in (CREATED, UPDATED) for item in items), "items": list(items)}


def test_created_and_overwritten_documents_are_done() -> None:
    assert read_bulk_response(3, response(CREATED, UPDATED, CREATED)) == BulkResponse(done=3, again=1)


def test_nothing_sent_and_nothing_answered_is_done() -> None:
    assert read_bulk_response(0, response()) == BulkResponse(done=0)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_gets_the_same_document_again(status: int) -> None:
    outcome = read_bulk_response(3, response(CREATED, failed(status, "es_rejected_execution_exception"), CREATED))
    assert (outcome.done, outcome.retry, outcome.rejected, outcome.fatal) == (2, (1,), (), None)
    assert outcome.why_retry == f"{status} es_rejected_execution_exception: it broke"


def test_a_node_that_left_gets_the_same_document_again_although_it_is_a_500() -> None:
    assert read_bulk_response(1, response(failed(500, "node_closed_exception"))).retry == (0,)


@pytest.mark.parametrize("status", [400, 409, 413, 500, 599])
def test_any_other_failure_is_a_dead_letter(status: int) -> None:
    outcome = read_bulk_response(2, response(failed(status, "document_parsing_exception"), CREATED))
    assert (outcome.done, outcome.retry, outcome.fatal) == (1, (), None)
    (rejection,) = outcome.rejected
    assert (rejection.place, rejection.status) == (0, status)
    assert rejection.reason == "document_parsing_exception: it broke"


def test_every_kind_of_item_is_told_apart_by_its_place() -> None:
    outcome = read_bulk_response(5, response(failed(400), CREATED, failed(429), failed(503), failed(400)))
    assert outcome.done == 1
    assert outcome.retry == (2, 3)
    assert [rejection.place for rejection in outcome.rejected] == [0, 4]


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (404, "index_not_found_exception"),
        (400, "index_closed_exception"),
        (403, "cluster_block_exception"),
        (429, "cluster_block_exception"),
        (403, "security_exception"),
    ],
)
def test_what_befalls_the_whole_index_is_neither_a_dead_letter_nor_tried_again(status: int, type_: str) -> None:
    outcome = read_bulk_response(2, response(CREATED, failed(status, type_)))
    assert outcome.fatal is not None
    assert (outcome.fatal.type, outcome.rejected, outcome.retry) == (type_, (), ())


def test_a_cluster_without_a_master_is_waited_for() -> None:
    assert read_bulk_response(1, response(failed(503, "cluster_block_exception"))).retry == (0,)


@pytest.mark.parametrize(
    "senseless",
    [
        None,
        [],
        "<html>bad gateway</html>",
        {},
        {"took": 3},
        {"errors": False},
        {"errors": False, "items": []},
        {"errors": False, "items": [CREATED]},
        {"errors": False, "items": [CREATED, CREATED, CREATED]},
        {"errors": False, "items": {"0": CREATED, "1": CREATED}},
        {"items": [CREATED, CREATED]},
        {"errors": None, "items": [CREATED, CREATED]},
        {"errors": True, "items": [CREATED, CREATED]},
        {"errors": False, "items": [CREATED, failed(400)]},
        {"errors": True, "items": [CREATED, None]},
        {"errors": True, "items": [CREATED, {}]},
        {"errors": True, "items": [CREATED, {"index": {}}]},
        {"errors": True, "items": [CREATED, {"index": {"status": 400}}]},
        {"errors": True, "items": [CREATED, {"index": {"status": 202}}]},
        {"errors": True, "items": [CREATED, {"index": {"status": 201, "error": {"type": "x"}}}]},
        {"errors": True, "items": [CREATED, failed(200)]},
        {"errors": True, "items": [CREATED, failed(302)]},
        {"errors": True, "items": [CREATED, failed(600)]},
        {"errors": True, "items": [CREATED, failed("400")]},
        {"errors": True, "items": [CREATED, failed(None)]},
        {"errors": True, "items": [CREATED, {"create": {"status": 400, "error": {"type": "x"}}}]},
        {"errors": True, "items": [{"index": {"status": True}}, {"index": {"status": True}}]},
    ],
)
def test_a_senseless_response_acknowledges_nothing(senseless: Json) -> None:
    outcome = read_bulk_response(2, senseless)
    assert (outcome.done, outcome.retry, outcome.rejected) == (0, (0, 1), ())
    assert outcome.why_retry


def test_a_dead_letter_keeps_id_reason_and_document() -> None:
    letter = dead_letter('{"index":{"_id":"é\\n1"}}\n{"a":[1,{"b":null}]}\n'.encode(), 400, "because")
    assert (letter.id, letter.status, letter.reason) == ("é\n1", 400, "because")
    assert letter.document == {"a": [1, {"b": None}]}


def test_a_dead_letter_keeps_a_document_that_is_not_json() -> None:
    assert dead_letter(b'{"index":{"_id":"1"}}\n{"a":\n', 400, "because").document == '{"a":'


def test_an_explanation_has_the_type_the_reason_and_the_root_cause() -> None:
    root: JsonObject = {"type": "number_format_exception", "reason": 'For input string:\n "abc"'}
    error: JsonObject = {
        "type": "outer",
        "reason": "failed to parse [n]",
        "caused_by": {"type": "m", "caused_by": root},
    }
    assert error_reason(error) == 'outer: failed to parse [n]: For input string: "abc"'


def test_an_explanation_does_not_repeat_itself() -> None:
    error: JsonObject = {"type": "t", "reason": "Failed: no", "caused_by": {"type": "u", "reason": "no"}}
    assert error_reason(error) == "t: Failed: no"


@pytest.mark.parametrize("error", ["plain words", None, {}, {"type": "t"}, {"reason": None}])
def test_an_explanation_is_found_for_any_shape(error: Json) -> None:
    assert isinstance(error_reason(error), str)


def test_an_explanation_is_short_and_keeps_both_ends_of_the_reason() -> None:
    said = error_reason({"type": "t", "reason": "id [" + "x" * 1_000_000 + "] is too long"})
    assert len(said) < 600
    assert said.startswith("t: id [x")
    assert said.endswith("] is too long")
