"""Connections to both servers cut before, during or after the response: retries lose and duplicate nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from elasticsearch import Elasticsearch

from tests.support.attack import ROWS, Attack
from tests.support.fault_proxy import (
    Fault,
    FaultProxy,
    cut_after,
    cut_before,
    cut_midway,
    every_nth,
    pass_through,
    run_before,
)

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


TIMES = 5
"""More often than the Elasticsearch client itself retries."""


def through(attack: Attack, source: FaultProxy, target: FaultProxy) -> Attack:
    return replace(attack, source=source.crate, target=target.url)


@pytest.mark.parametrize("fault", [cut_before, cut_after, cut_midway], ids=["before", "after", "in the answer"])
def test_every_third_connection_to_either_server_is_cut_and_no_row_is_lost(attack: Attack, fault: Fault) -> None:
    with FaultProxy(attack.source) as source, FaultProxy(attack.target) as target:
        cut: Counter[FaultProxy] = Counter()

        def begin() -> None:
            for side in (source, target):
                side.default = every_nth(3, run_before(partial(cut.update, [side]), fault))

        target.script(*[pass_through] * 20, run_before(begin))
        ended = through(attack, source, target).run("--quiet")
        report = attack.assert_complete(ended, attack.target)
        assert cut[source] > 3
        assert cut[target] > 20
    with Elasticsearch(attack.target) as client:
        assert client.count(index=str(report["index"]))["count"] == ROWS


@pytest.mark.parametrize(
    ("on", "more"),
    [
        (r"PUT /test_\w+_2\d+_\d+(\?|$)", ()),
        (r"_jobs/_doc/.*op_type=create", ()),
        (r"_jobs/_doc/.*if_seq_no", ("--batch-bytes", "8KiB")),  # slow enough for several checkpoints
        ("/_refresh", ()),
        ("/_settings", ()),
        ("/_pit", ()),
        ("POST /_aliases", ()),
    ],
    ids=["create the index", "take the lock", "checkpoints", "refresh", "settings", "snapshot", "move the alias"],
)
def test_a_request_whose_response_is_lost_is_recognized_as_our_own(
    attack: Attack, on: str, more: Sequence[str]
) -> None:
    with FaultProxy(attack.target, pattern=on) as proxy:
        proxy.script(*[cut_after] * TIMES)
        ended = replace(attack, target=proxy.url).run("--quiet", *more)
        assert len(proxy.requests) > TIMES
        attack.assert_complete(ended, attack.target)
