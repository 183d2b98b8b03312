"""Elasticsearch becomes unavailable mid-job: the job waits up to --patience, says why, and continues."""

import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.process import wait_until
from tests.fault.conftest import OwnElasticsearch
from tests.support.attack import Attack
from tests.support.fault_proxy import FaultProxy, cut_before, first_times, hold_until, pass_through

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

DOWN = 60.0
"""Length of the outage in seconds."""


@pytest.mark.slow
def test_the_job_waits_out_a_one_minute_elasticsearch_outage(
    attack: Attack, own_elasticsearch: OwnElasticsearch
) -> None:
    with FaultProxy(own_elasticsearch.url, pattern="/_bulk") as proxy:
        gone = threading.Event()
        proxy.script(*[pass_through] * 20)
        proxy.default = hold_until(gone)
        job = replace(attack, target=proxy.url).start("--batch-bytes", "16KiB")
        assert wait_until(lambda: len(proxy.requests) > 20, 120)  # of about 300
        own_elasticsearch.stop()
        proxy.default = pass_through
        gone.set()
        stopped = time.monotonic()
        job.err.wait_for(r"waiting: Elasticsearch is unavailable \(.+\); retrying for up to 300 s")
        time.sleep(max(0.0, stopped + DOWN - time.monotonic()))  # the outage must last the whole minute
        own_elasticsearch.start()
        ended = job.end()
        attack.assert_complete(ended, own_elasticsearch.url)


def test_an_elasticsearch_outage_beyond_patience_fails_the_job_and_a_resume_completes_it(attack: Attack) -> None:
    with FaultProxy(attack.target, pattern="/_bulk") as proxy:
        proxy.script(*[pass_through] * 10)
        proxy.default = cut_before
        away = replace(attack, target=proxy.url)
        ended = away.run("--patience", "1", "--quiet")
        assert ended.code == 1
        assert "check that it runs" in ended.err
        with Elasticsearch(attack.target) as client:
            assert not client.indices.exists_alias(name=attack.alias)
        proxy.default = pass_through
        report = attack.assert_complete(away.run(), attack.target)
        assert report["resumed"]


def test_the_job_waits_for_elasticsearch_to_take_the_last_checkpoint(attack: Attack) -> None:
    """So few rows that the first checkpoint is also the last; its request fails more often than the client retries."""
    with FaultProxy(attack.target, pattern="_jobs/_doc/.*if_seq_no") as proxy:
        proxy.script(*[cut_before] * 5)
        ended = replace(attack, target=proxy.url).run("--quiet", "--where", "id < 100")
        assert ended.code == 0, ended.err
        assert len(proxy.requests) > 5
    with Elasticsearch(attack.target) as client:
        attack.record.tried(rows=100, lost=100 - client.count(index=attack.alias)["count"])


def test_the_job_waits_for_elasticsearch_after_the_last_document_too(attack: Attack) -> None:
    """Each of the final steps fails three times as often as the client retries."""
    with FaultProxy(attack.target, pattern="/_refresh|/_settings|POST /_aliases") as proxy:
        proxy.default = first_times(12, cut_before)
        ended = replace(attack, target=proxy.url).run("--quiet")
        attack.assert_complete(ended, attack.target)
        steps = Counter(request.kind for request in proxy.requests)
        assert len(steps) == 3
        assert min(steps.values()) > 12
