"""Connections cut after the request, before its answer, on both sides: all is asked again, nothing is doubled."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from elasticsearch import Elasticsearch

from tests.support.attack import ROWS, Attack
from tests.support.fault_proxy import Fault, FaultProxy, after, cut_after, cut_before, each, half, passes

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


TIMES = 5
"""More often than the client itself asks again."""


def through(attack: Attack, source: FaultProxy, target: FaultProxy) -> Attack:
    return replace(attack, source=source.crate, target=target.url)


@pytest.mark.parametrize("fault", [cut_before, cut_after, half], ids=["before", "after", "in the answer"])
def test_every_third_connection_is_cut_on_both_sides(attack: Attack, fault: Fault) -> None:
    with FaultProxy(attack.source) as source, FaultProxy(attack.target) as target:
        cut: Counter[FaultProxy] = Counter()

        def begin() -> None:
            for side in (source, target):
                side.otherwise = each(3, after(partial(cut.update, [side]), fault))

        target.script(*[passes] * 20, after(begin))
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
        (r"_jobs/_doc/.*if_seq_no", ("--batch-bytes", "8KiB")),  # so slow that several are due
        ("/_refresh", ()),
        ("/_settings", ()),
        ("/_pit", ()),
        ("POST /_aliases", ()),
    ],
    ids=["create the index", "take the lock", "checkpoints", "refresh", "settings", "snapshot", "move the alias"],
)
def test_what_was_done_and_not_heard_of_is_not_taken_for_another_s_work(
    attack: Attack, on: str, more: Sequence[str]
) -> None:
    with FaultProxy(attack.target, on=on) as proxy:
        proxy.script(*[cut_after] * TIMES)
        ended = replace(attack, target=proxy.url).run("--quiet", *more)
        assert len(proxy.seen) > TIMES
        attack.assert_complete(ended, attack.target)
