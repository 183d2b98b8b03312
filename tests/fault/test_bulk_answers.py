"""Truncated, non-JSON and incomplete bulk responses: none of them ever counts as success."""

from dataclasses import replace

import pytest

from tests.support.attack import Attack
from tests.support.bulk_faults import loses_a_document, without_last_item
from tests.support.fault_proxy import Fault, FaultProxy, altered, each, first, half, refuse

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.mark.parametrize(
    "fault",
    [
        refuse(200, b'{"errors":false,"items":[{"index":{"status":201}},{"ind'),
        refuse(200, b"<html>It works!</html>", "text/html"),
        refuse(200, b"<html>It works!</html>"),
        refuse(200, b""),
        refuse(200, b'{"errors":false,"items":[]}'),
        refuse(200, b'{"errors":false}'),
        loses_a_document,
        altered(without_last_item),
        half,
    ],
    ids=[
        "cut, nothing done", "html, nothing done", "html called json", "empty, nothing done", "no items, nothing done",
        "no list of items", "a document lost", "an item missing", "cut off",
    ],
)  # fmt: skip
def test_every_third_bulk_response_is_garbage_and_no_document_is_lost(attack: Attack, fault: Fault) -> None:
    with FaultProxy(attack.target, on="/_bulk") as proxy:
        proxy.otherwise = each(3, fault)
        ended = replace(attack, target=proxy.url).run("--quiet")
        attack.assert_complete(ended, attack.target)
        assert len({request.body for request in proxy.seen}) < len(proxy.seen), "some were sent again"


def test_bulk_responses_always_missing_an_item_fail_the_job_and_a_rerun_completes_it(attack: Attack) -> None:
    with FaultProxy(attack.target, on="/_bulk") as proxy:
        proxy.otherwise = loses_a_document
        ended = replace(attack, target=proxy.url).run("--quiet", "--patience", "1")
        assert ended.code == 1
        assert "items for" in ended.err
        proxy.otherwise = first(1, loses_a_document)
        attack.assert_complete(replace(attack, target=proxy.url).run("--quiet"), attack.target)
