"""Elasticsearch is overloaded (429): the job must slow down, lose nothing, and speed up again."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Barrier

import orjson
import pytest

from indexer.sandbox.process import wait_until
from indexer.sink.rate_limit import FULL
from tests.support.attack import BATCH, Attack
from tests.support.bulk_faults import BUSY_ITEM, busy_items
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, pass_through, refuse, run_before

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

BUSY = refuse(429, orjson.dumps({**BUSY_ITEM["index"]}))


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[FaultProxy]:
    with FaultProxy(elasticsearch_url, pattern="/_bulk") as running:
        yield running


@pytest.mark.parametrize("fault", [BUSY, busy_items(every=3)], ids=["whole requests", "a third of the documents"])
def test_on_429_requests_become_fewer_and_smaller_and_then_recover(
    attack: Attack, proxy: FaultProxy, elasticsearch_url: str, fault: Fault
) -> None:
    met = run_before(Barrier(2, timeout=60).wait)  # otherwise one is often answered before the next is sent
    proxy.script(*[pass_through] * 8, met, met)
    proxy.default = fault
    job = replace(attack, target=proxy.url).start()
    line = job.err.wait_for("slowed to 1 request of [12] KiB: (.*)")
    assert "429 " in line[1]
    assert "es_rejected_execution_exception: rejected execution of coordinating operation" in line[1]
    busy = len(proxy.requests)
    assert wait_until(
        lambda: len(proxy.requests) >= busy + 3, 60
    )  # the last one before the line was sent at the old rate
    busy = len(proxy.requests)
    proxy.script(*[pass_through] * FULL, met, met)  # each success raises the rate by a step
    proxy.default = pass_through
    ended = job.end()
    attack.assert_complete(ended, elasticsearch_url)
    before, slowed, grown = proxy.requests[8:10], proxy.requests[busy - 3 : busy], proxy.requests[-4:]
    assert max(request.in_flight for request in before) >= 2
    assert {request.in_flight for request in slowed} == {1}
    assert max(len(request.body) for request in slowed) <= BATCH / 8
    assert max(len(request.body) for request in grown) > BATCH / 2, "it grew back"
    assert max(request.in_flight for request in proxy.requests[busy:]) >= 2, "the second request is back"


def test_the_rate_limit_settles_at_what_the_server_accepts(
    attack: Attack, proxy: FaultProxy, elasticsearch_url: str
) -> None:
    """The server accepts one request at a time, of at most a quarter batch; few requests may exceed that."""
    refused = []

    def strained(exchange: Exchange) -> None:
        too_much = len(exchange.request.body) > BATCH / 4 or proxy.in_flight > 1
        refused.append(too_much)
        (BUSY if too_much else pass_through)(exchange)

    proxy.default = strained
    ended = replace(attack, target=proxy.url).run("--quiet")
    attack.assert_complete(ended, elasticsearch_url)
    print(f"{sum(refused)} of {len(refused)} requests refused")  # noqa: T201  # for the README's table
    assert sum(refused) < len(refused) / 5
