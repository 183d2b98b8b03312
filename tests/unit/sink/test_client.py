"""The fast path for bulk responses in which every document was created."""

import orjson
import pytest

from indexer.model.json import JsonObject
from indexer.sink.client import BulkResponseJson

CREATED: JsonObject = {"index": {"status": 201}}
UPDATED: JsonObject = {"index": {"status": 200}}


def answers() -> list[bytes]:
    whole = [orjson.dumps({"errors": False, "items": [CREATED] * count}) for count in (0, 1, 2, 100)]
    mixed = [orjson.dumps({"errors": False, "items": items}) for items in ([CREATED, UPDATED], [UPDATED, CREATED])]
    failed = orjson.dumps({"errors": True, "items": [CREATED, {"index": {"status": 400, "error": {}}}]})
    hidden = orjson.dumps({"errors": False, "items": [CREATED, "x", {"index": {"status": 201}, "a": 1}]})
    spaced = whole[2].replace(b",", b" ,")
    return [*whole, *mixed, failed, hidden, spaced, whole[1][:-1] + b',"took":1}', b"[]", b'{"a":1}']


@pytest.mark.parametrize("answer", answers())
def test_the_fast_path_agrees_with_a_full_parser(answer: bytes) -> None:
    assert BulkResponseJson().loads(answer) == orjson.loads(answer)


@pytest.mark.parametrize("end", range(1, 20))
def test_a_truncated_response_raises(end: int) -> None:
    whole = orjson.dumps({"errors": False, "items": [CREATED] * 5})
    with pytest.raises(Exception, match="Unable to deserialize"):
        BulkResponseJson().loads(whole[:-end])


def test_the_fast_path_is_used() -> None:
    answer = BulkResponseJson().loads(orjson.dumps({"errors": False, "items": [CREATED] * 5}))
    assert isinstance(answer, dict)
    items = answer["items"]
    assert isinstance(items, list)
    assert all(item is items[0] for item in items)
