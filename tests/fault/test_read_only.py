"""A full disk makes the index read-only: the job fails clearly, without dead letters, and can be resumed."""

import time
from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch

from tests.fault.conftest import OwnElasticsearch
from tests.support.attack import Attack
from tests.support.commands import Ended
from tests.support.fault_proxy import FaultProxy, pass_through, run_before

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

BLOCK = "index.blocks.read_only_allow_delete"


def index_of(client: Elasticsearch, attack: Attack) -> str:
    (name,) = client.indices.get(index=f"{attack.alias}_2*")
    return str(name)


def assert_failed_clearly(attack: Attack, ended: Ended, client: Elasticsearch) -> None:
    assert ended.code == 1, ended.err
    assert "read-only-allow-delete" in ended.err
    assert "free disk space or lift the block, then resume the job" in ended.err
    assert not client.indices.exists_alias(name=attack.alias)
    assert list(attack.folder.glob("jobs/*"))
    assert not list(attack.folder.glob("jobs/*/dead_letters.ndjson")), "the documents are not at fault"


def test_a_read_only_block_fails_the_job_clearly_and_a_resume_completes_it(
    attack: Attack, elasticsearch_url: str
) -> None:
    with Elasticsearch(elasticsearch_url) as client, FaultProxy(elasticsearch_url, pattern="/_bulk") as proxy:

        def block() -> None:
            client.indices.put_settings(index=index_of(client, attack), settings={BLOCK: True})

        proxy.script(*[pass_through] * 20, run_before(block))
        blocked = replace(attack, target=proxy.url)
        began = time.monotonic()
        assert_failed_clearly(attack, blocked.run("--quiet"), client)
        assert_failed_clearly(attack, blocked.run("--quiet"), client)  # still blocked
        assert time.monotonic() - began < 240, "a block is not waited out"
        client.indices.put_settings(index=index_of(client, attack), settings={BLOCK: None})
        report = attack.assert_complete(blocked.run("--quiet"), elasticsearch_url)
        assert report["resumed"]


WATERMARKS = "cluster.routing.allocation.disk"


def set_disk(client: Elasticsearch, *, full: bool) -> None:
    """Move the watermarks so that the disk counts as full, or reset them."""
    marks = {f"{WATERMARKS}.watermark.{name}": "1000tb" for name in ("low", "high", "flood_stage")}
    settings = {f"{WATERMARKS}.threshold_enabled": True, **marks}
    client.cluster.put_settings(persistent=settings if full else dict.fromkeys(settings))


def wait_for_block(client: Elasticsearch, attack: Attack, *, on: bool) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        name = index_of(client, attack)
        settings = client.indices.get_settings(index=name, flat_settings=True)[name]["settings"]
        if (settings.get(BLOCK) == "true") is on:
            return
        time.sleep(0.1)
    raise AssertionError(f"the block of {attack.alias} is not {'on' if on else 'off'}")


@pytest.mark.slow
def test_the_flood_stage_watermark_fails_the_job_clearly_and_a_resume_completes_it(
    attack: Attack, own_elasticsearch: OwnElasticsearch
) -> None:
    """Elasticsearch itself blocks every index, including the one that holds jobs and locks."""
    with Elasticsearch(own_elasticsearch.url) as client, FaultProxy(own_elasticsearch.url, pattern="/_bulk") as proxy:

        def fill_disk() -> None:
            set_disk(client, full=True)
            wait_for_block(client, attack, on=True)

        proxy.script(*[pass_through] * 20, run_before(fill_disk))
        blocked = replace(attack, target=proxy.url)
        try:
            assert_failed_clearly(attack, blocked.run("--quiet"), client)
        finally:
            set_disk(client, full=False)
        wait_for_block(client, attack, on=False)
        report = attack.assert_complete(blocked.run("--quiet"), own_elasticsearch.url)
        assert report["resumed"]
