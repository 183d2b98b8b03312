"""The life of an index on a real server: create, load, finish, switch, replace, delete."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from elasticsearch import ElasticsearchWarning

from indexer.access import TargetAccess
from indexer.errors import TargetUnavailable, UsageError
from indexer.model.json import JsonObject
from indexer.query.search import search_alias
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import PRODUCT, Indexes
from indexer.sink.index_name import loading_alias
from tests.support.bulk_lines import MAPPINGS, NOW, lines, new_index
from tests.support.fault_proxy import FaultProxy, run_before

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as connected:
        yield connected


@pytest.fixture
def indexes(cluster: Cluster) -> Indexes:
    return Indexes(cluster)


@pytest.fixture
def template(cluster: Cluster, alias: str) -> Iterator[str]:
    """The name for an index template that the test creates."""
    yield alias
    cluster.client.options(ignore_status=404).indices.delete_index_template(name=alias)


def settings_of(cluster: Cluster, name: str) -> JsonObject:
    found: JsonObject = cluster.client.indices.get_settings(index=name).body[name]["settings"]["index"]
    return found


def aliases_of(cluster: Cluster, name: str) -> set[str]:
    return set(cluster.client.indices.get_alias(index=name).body[name]["aliases"])


def served_index(cluster: Cluster, alias: str, count: int) -> str:
    indexes = Indexes(cluster)
    name = new_index(cluster, alias)
    BulkWriter(cluster, name).write(lines(count))
    indexes.finish(name, {})
    indexes.switch(alias, name)
    return name


def test_an_index_is_created_loaded_finished_and_served(cluster: Cluster, indexes: Indexes, alias: str) -> None:
    indexes.refuse_concrete(alias)
    assert indexes.current(alias) == ()
    name = indexes.new_name(alias, NOW)
    assert name == f"{alias}_20261122_101500"
    planned: JsonObject = {"number_of_shards": 2, "index": {"refresh_interval": "7s"}, "index.number_of_replicas": 1}
    indexes.create(name, MAPPINGS, planned, {"version": "1", "table": "doc.logs", "job": name})
    loading = settings_of(cluster, name)
    assert (loading["refresh_interval"], loading["number_of_replicas"]) == ("-1", "0")
    assert loading["number_of_shards"] == "2"
    assert cluster.client.indices.get_mapping(index=name).body[name]["mappings"]["_meta"] == {
        "product": PRODUCT,
        "version": "1",
        "table": "doc.logs",
        "job": name,
    }

    written = BulkWriter(cluster, name).write(lines(1000))
    assert (written.acknowledged, written.dead_letters, written.retries) == (1000, (), 0)
    assert indexes.count(name) == 0, "loading goes without refreshes"

    indexes.finish(name, planned)
    finished = settings_of(cluster, name)
    assert (finished["refresh_interval"], finished["number_of_replicas"]) == ("7s", "1")
    assert indexes.count(name) == 1000
    assert indexes.current(alias) == ()

    assert indexes.switch(alias, name) == ()
    assert indexes.current(alias) == (name,)
    assert indexes.count(alias) == 1000
    assert aliases_of(cluster, name) == {alias}
    indexes.refuse_concrete(alias)


def test_settings_not_planned_revert_to_the_servers_defaults(cluster: Cluster, alias: str) -> None:
    name = new_index(cluster, alias)
    Indexes(cluster).finish(name, {})
    finished = settings_of(cluster, name)
    assert "refresh_interval" not in finished
    assert finished["number_of_replicas"] == "1"


def test_a_second_index_replaces_the_first_and_the_third_deletes_it(cluster: Cluster, alias: str) -> None:
    indexes = Indexes(cluster)
    first = served_index(cluster, alias, 1)
    second = served_index(cluster, alias, 2)
    assert indexes.current(alias) == (second,)
    assert indexes.delete_old(alias, keep=1) == ()
    third = served_index(cluster, alias, 3)
    assert [made.name for made in indexes.own(alias)] == [first, second, third]
    assert indexes.delete_old(alias, keep=1, exclude={first}) == ()
    assert indexes.delete_old(alias, keep=1) == (first,)
    assert indexes.count(alias) == 3
    assert indexes.delete_old(alias, keep=0) == (second,)
    assert [made.name for made in indexes.own(alias)] == [third]


def test_unfinished_indexes_do_not_count_towards_keep(cluster: Cluster, alias: str) -> None:
    """Otherwise a failed job would displace the last good index, which rollback needs."""
    indexes = Indexes(cluster)
    good = served_index(cluster, alias, 1)
    failed = new_index(cluster, alias)
    served = served_index(cluster, alias, 1)
    begun = new_index(cluster, alias)
    assert [(made.name, made.complete) for made in indexes.own(alias)] == [
        (good, True),
        (failed, False),
        (served, True),
        (begun, False),
    ]
    assert indexes.delete_old(alias, keep=1) == (failed,)
    assert [made.name for made in indexes.own(alias)] == [good, served, begun]


def test_only_our_own_indexes_are_deleted(cluster: Cluster, alias: str) -> None:
    indexes = Indexes(cluster)
    bystanders = {
        f"{alias}_20200101_000000": None,  # our name pattern, but no _meta
        f"{alias}_20200101_000001": {"product": "another"},
        f"{alias}_1": {"product": PRODUCT},  # our _meta, but not our name pattern
        f"{alias}_x_20200101_000000": {"product": PRODUCT},  # belongs to the alias `..._x`
    }
    for name, meta in bystanders.items():
        cluster.client.indices.create(index=name, mappings={"_meta": meta} if meta else {})
    borrowed = served_index(cluster, alias, 1)
    cluster.client.indices.put_alias(index=borrowed, name=f"{alias}_of_someone_else")
    served_index(cluster, alias, 1)
    assert indexes.delete_old(alias, keep=0) == ()
    for name in (*bystanders, borrowed):
        assert cluster.client.indices.exists(index=name)


def test_nothing_is_deleted_unless_one_of_our_indexes_is_served(cluster: Cluster, alias: str) -> None:
    unserved = new_index(cluster, alias)
    assert Indexes(cluster).delete_old(alias, keep=0) == ()
    assert cluster.client.indices.exists(index=unserved)


def test_a_closed_old_index_is_deleted_too(cluster: Cluster, alias: str) -> None:
    old = served_index(cluster, alias, 1)
    served_index(cluster, alias, 1)
    cluster.client.indices.close(index=old)
    assert Indexes(cluster).delete_old(alias, keep=0) == (old,)


def test_the_alias_moves_off_several_indexes_at_once(cluster: Cluster, alias: str) -> None:
    indexes = Indexes(cluster)
    olds = tuple(f"{alias}_{letter}" for letter in "ab")
    for old in olds:
        cluster.client.indices.create(index=old, aliases={alias: {}})
    name = new_index(cluster, alias)
    assert indexes.switch(alias, name) == olds
    assert indexes.current(alias) == (name,)


def test_readers_always_see_exactly_one_complete_index(cluster: Cluster, alias: str) -> None:
    indexes = Indexes(cluster)
    one, two = served_index(cluster, alias, 1), served_index(cluster, alias, 2)
    seen: list[int] = []
    enough = threading.Event()

    def read() -> None:
        while not enough.is_set():
            seen.append(search_alias(cluster, alias, "*").total)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        indexes.switch(alias, one)
        indexes.switch(alias, two)
    enough.set()
    reader.join()
    assert set(seen) == {1, 2}


def test_a_switch_that_fails_changes_nothing(cluster: Cluster, alias: str) -> None:
    indexes = Indexes(cluster)
    served = served_index(cluster, alias, 1)
    with pytest.raises(Exception, match="no such index"):
        indexes.switch(alias, f"{alias}_20300101_000000")
    assert indexes.current(alias) == (served,)


def test_a_switch_may_be_repeated(cluster: Cluster, alias: str) -> None:
    served = served_index(cluster, alias, 1)
    assert Indexes(cluster).switch(alias, served) == (served,)
    assert Indexes(cluster).current(alias) == (served,)


def test_an_existing_index_name_advances_to_the_next_second(cluster: Cluster, indexes: Indexes, alias: str) -> None:
    assert new_index(cluster, alias).endswith("_101500")
    assert indexes.new_name(alias, NOW).endswith("_101501")
    assert indexes.new_name(alias, NOW + timedelta(seconds=5)).endswith("_101505")


def test_a_concrete_index_is_refused_with_the_remedy(cluster: Cluster, indexes: Indexes, alias: str) -> None:
    cluster.client.indices.create(index=alias)
    with pytest.raises(UsageError, match=f"{alias} is an index.*--index"):
        indexes.refuse_concrete(alias)


def test_invalid_names_are_refused(indexes: Indexes) -> None:
    for name in ("logs-app-prod", "Logs", "a b", "_a"):
        with pytest.raises(UsageError, match="--index"):
            indexes.refuse_concrete(name)


@pytest.mark.parametrize(
    ("mappings", "settings", "reason"),
    [
        ({"properties": {"a": {"type": "no_such_type"}}}, {}, "no_such_type"),
        ({"properties": {"a": {"type": "text", "analyzer": "no_such"}}}, {}, "no_such"),
        ({}, {"number_of_shards": 0}, "number_of_shards"),
        ({}, {"no_such_setting": 1}, "no_such_setting"),
    ],
)
def test_an_index_that_the_server_rejects_is_refused_and_not_created(
    cluster: Cluster, alias: str, mappings: JsonObject, settings: JsonObject, reason: str
) -> None:
    indexes = Indexes(cluster)
    name = indexes.new_name(alias, NOW)
    with pytest.raises(UsageError, match=reason):
        indexes.create(name, mappings, settings, {})
    assert not cluster.client.indices.exists(index=f"{alias}*", allow_no_indices=False)


def test_the_plan_overrides_a_matching_index_template(cluster: Cluster, alias: str, template: str) -> None:
    indexes = Indexes(cluster)
    rule: JsonObject = {"ours": {"match": "*", "mapping": {"type": "keyword"}}}
    foreign: JsonObject = {"theirs": {"match": "*", "mapping": {"type": "ip"}}}
    cluster.client.indices.put_index_template(
        name=template,
        index_patterns=[f"{alias}_*"],
        priority=500,
        template={
            "aliases": {f"{alias}_readers": {}},
            "settings": {
                "number_of_replicas": 3,
                "refresh_interval": "1s",
                "auto_expand_replicas": "0-all",
                "default_pipeline": "no_such_pipeline",
                "final_pipeline": "no_such_pipeline",
            },
            "mappings": {
                "_source": {"enabled": False},
                "_meta": {"product": "another"},
                "dynamic": "strict",
                "dynamic_templates": [foreign],
                "properties": {"n": {"type": "keyword"}, "word": {"type": "keyword", "ignore_above": 1}},
            },
        },
    )
    name = indexes.new_name(alias, NOW)
    assert indexes.matching_templates(name) == (template,)
    mappings: JsonObject = {**MAPPINGS, "dynamic": True, "dynamic_templates": [rule]}
    indexes.create(name, mappings, {"number_of_replicas": 0}, {"job": name})
    assert aliases_of(cluster, name) == {loading_alias(name)}, "readers must not see it"
    made = cluster.client.indices.get_mapping(index=name).body[name]["mappings"]
    assert made["_meta"] == {"product": PRODUCT, "job": name}
    assert made["dynamic_templates"] == [rule]
    assert made["properties"]["n"] == {"type": "integer"}
    assert made["properties"]["word"] == {"type": "keyword"}

    assert BulkWriter(cluster, name).write(lines(3)).acknowledged == 3
    indexes.finish(name, {"number_of_replicas": 0})
    assert settings_of(cluster, name)["number_of_replicas"] == "0"
    assert cluster.client.search(index=name, size=1).body["hits"]["hits"][0]["_source"]


def test_legacy_templates_are_reported_too(cluster: Cluster, alias: str) -> None:
    with pytest.warns(ElasticsearchWarning, match="deprecated"):
        cluster.client.indices.put_template(name=alias, index_patterns=[f"{alias}*", "zz_other"])
    try:
        indexes = Indexes(cluster)
        assert indexes.matching_templates(f"{alias}_20261122_101500") == (alias,)
        assert indexes.matching_templates("unmatched") == ()
    finally:
        cluster.client.indices.delete_template(name=alias)


def test_an_index_with_unassigned_primaries_cannot_be_finished(cluster: Cluster, alias: str) -> None:
    name = f"{alias}_20261122_101500"
    nowhere = {"index.routing.allocation.require._name": "no_such_node"}
    cluster.client.indices.create(index=name, settings=nowhere, wait_for_active_shards=0)
    with pytest.raises(TargetUnavailable, match=name):
        Indexes(cluster, shard_timeout=0.1).finish(name, {})
    with pytest.raises(TargetUnavailable):
        Indexes(cluster).count(name)


def test_an_index_deleted_by_another_job_during_creation_is_refused(
    elasticsearch_url: str, indexes: Indexes, alias: str
) -> None:
    name = indexes.new_name(alias, NOW)
    with FaultProxy(elasticsearch_url, pattern=f"GET /{name}") as proxy, connect(TargetAccess(url=proxy.url)) as other:
        proxy.script(run_before(lambda: indexes.delete(name)))
        with pytest.raises(UsageError, match=f"Another job has just deleted {name}; see `indexer jobs`"):
            Indexes(other).create(name, MAPPINGS, {}, {"version": "1", "table": "doc.logs", "job": name})


def test_deleting_twice_is_fine(cluster: Cluster, indexes: Indexes, alias: str) -> None:
    name = new_index(cluster, alias)
    indexes.delete(name)
    indexes.delete(name)
    assert not cluster.client.indices.exists(index=name)
