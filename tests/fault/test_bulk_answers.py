"""Truncated, non-JSON and incomplete bulk responses: none of them ever counts as success."""

from dataclasses import replace

import pytest

from tests.support.attack import Attack
from tests.support.bulk_faults import lose_document, without_last_item
from tests.support.fault_proxy import Fault, FaultProxy, alter, cut_midway, every_nth, first_times, refuse

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
        lose_document,
        alter(without_last_item),
        cut_midway,
    ],
    ids=[
        "cut, nothing done", "html, nothing done", "html called json", "empty, nothing done", "no items, nothing done",
        "no list of items", "a document lost", "an item missing", "cut off",
    ],
)  # fmt: skip
def test_every_third_bulk_response_is_garbage_and_no_document_is_lost(attack: Attack, fault: Fault) -> None:
    with FaultProxy(attack.target, pattern="/_bulk") as proxy:
        proxy.default = every_nth(3, fault)
        ended = replace(attack, target=proxy.url).run("--quiet")
        attack.assert_complete(ended, attack.target)
        assert len({request.body for request in proxy.requests}) < len(proxy.requests), "some were sent again"


def test_bulk_responses_always_missing_an_item_fail_the_job_and_a_rerun_completes_it(attack: Attack) -> None:
    with FaultProxy(attack.target, pattern="/_bulk") as proxy:
        proxy.default = lose_document
        ended = replace(attack, target=proxy.url).run("--quiet", "--patience", "1")
        assert ended.code == 1
        assert "items for" in ended.err
        proxy.default = first_times(1, lose_document)
        attack.assert_complete(replace(attack, target=proxy.url).run("--quiet"), attack.target)
