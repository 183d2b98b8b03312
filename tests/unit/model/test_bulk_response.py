"""Classification of bulk responses, item by item."""

import pytest

from indexer.model.document.bulk_response import BulkResponse, error_reason, read_bulk_response
from indexer.model.document.dead_letter import DeadLetter
from indexer.model.json import Json, JsonObject

CREATED: JsonObject = {"index": {"status": 201}}
REPLACED: JsonObject = {"index": {"status": 200}}


def failed(status: Json, type_: str = "some_exception", reason: str = "it broke") -> JsonObject:
    return {"index": {"status": status, "error": {"type": type_, "reason": reason}}}


def response(*items: Json) -> JsonObject:
    return {"errors": any(item not in (CREATED, REPLACED) for item in items), "items": list(items)}


def test_created_and_overwritten_documents_are_done() -> None:
    assert read_bulk_response(3, response(CREATED, REPLACED, CREATED)) == BulkResponse(acknowledged=3, replaced=1)


def test_an_empty_response_to_an_empty_batch_is_done() -> None:
    assert read_bulk_response(0, response()) == BulkResponse(acknowledged=0)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_document_refused_by_a_busy_server_is_retried(status: int) -> None:
    outcome = read_bulk_response(3, response(CREATED, failed(status, "es_rejected_execution_exception"), CREATED))
    assert (outcome.acknowledged, outcome.retry, outcome.rejected, outcome.fatal) == (2, (1,), (), None)
    assert outcome.retry_reason == f"{status} es_rejected_execution_exception: it broke"


def test_a_500_from_a_closed_node_is_retried() -> None:
    assert read_bulk_response(1, response(failed(500, "node_closed_exception"))).retry == (0,)


@pytest.mark.parametrize("status", [400, 409, 413, 500, 599])
def test_any_other_failure_becomes_a_dead_letter(status: int) -> None:
    outcome = read_bulk_response(2, response(failed(status, "document_parsing_exception"), CREATED))
    assert (outcome.acknowledged, outcome.retry, outcome.fatal) == (1, (), None)
    (rejection,) = outcome.rejected
    assert (rejection.position, rejection.status) == (0, status)
    assert rejection.reason == "document_parsing_exception: it broke"


def test_each_item_is_classified_by_its_position() -> None:
    outcome = read_bulk_response(5, response(failed(400), CREATED, failed(429), failed(503), failed(400)))
    assert outcome.acknowledged == 1
    assert outcome.retry == (2, 3)
    assert [rejection.position for rejection in outcome.rejected] == [0, 4]


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
def test_an_error_of_the_whole_index_is_fatal(status: int, type_: str) -> None:
    outcome = read_bulk_response(2, response(CREATED, failed(status, type_)))
    assert outcome.fatal is not None
    assert (outcome.fatal.type, outcome.rejected, outcome.retry) == (type_, (), ())


def test_a_cluster_without_a_master_is_retried() -> None:
    assert read_bulk_response(1, response(failed(503, "cluster_block_exception"))).retry == (0,)


@pytest.mark.parametrize(
    "malformed",
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
def test_a_malformed_response_acknowledges_nothing(malformed: Json) -> None:
    outcome = read_bulk_response(2, malformed)
    assert (outcome.acknowledged, outcome.retry, outcome.rejected) == (0, (0, 1), ())
    assert outcome.retry_reason


def test_a_dead_letter_keeps_id_reason_and_document() -> None:
    letter = DeadLetter.from_line('{"index":{"_id":"é\\n1"}}\n{"a":[1,{"b":null}]}\n'.encode(), 400, "because")
    assert (letter.id, letter.status, letter.reason) == ("é\n1", 400, "because")
    assert letter.document == {"a": [1, {"b": None}]}


def test_a_dead_letter_keeps_a_document_that_is_not_json() -> None:
    assert DeadLetter.from_line(b'{"index":{"_id":"1"}}\n{"a":\n', 400, "because").document == '{"a":'


def test_a_reason_has_type_message_and_root_cause() -> None:
    root: JsonObject = {"type": "number_format_exception", "reason": 'For input string:\n "abc"'}
    error: JsonObject = {
        "type": "outer",
        "reason": "failed to parse [n]",
        "caused_by": {"type": "m", "caused_by": root},
    }
    assert error_reason(error) == 'outer: failed to parse [n]: For input string: "abc"'


def test_a_reason_does_not_repeat_itself() -> None:
    error: JsonObject = {"type": "t", "reason": "Failed: no", "caused_by": {"type": "u", "reason": "no"}}
    assert error_reason(error) == "t: Failed: no"


@pytest.mark.parametrize("error", ["plain words", None, {}, {"type": "t"}, {"reason": None}])
def test_any_shape_of_error_gives_a_reason(error: Json) -> None:
    assert isinstance(error_reason(error), str)


def test_a_long_reason_is_shortened_in_the_middle() -> None:
    reason = error_reason({"type": "t", "reason": "id [" + "x" * 1_000_000 + "] is too long"})
    assert len(reason) < 600
    assert reason.startswith("t: id [x")
    assert reason.endswith("] is too long")
