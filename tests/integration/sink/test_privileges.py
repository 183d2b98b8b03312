"""Jobs with exactly the documented privileges, and with each of them revoked in turn."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.sink.client import Cluster, connect
from tests.support.commands import Ended, run
from tests.support.fault_proxy import FaultProxy, refuse
from tests.support.secured_crate import PASSWORD, ROWS, SecuredCrate
from tests.support.secured_elasticsearch import LESSER_ROLES, PASSWORDS, SecuredElasticsearch

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.fixture
def admin(secured: SecuredElasticsearch) -> Iterator[Cluster]:
    with connect(secured.access("admin")) as cluster:
        yield cluster
        for index in made(cluster):
            cluster.client.indices.delete(index=index)


def made(admin: Cluster) -> set[str]:
    """All indexes that jobs create."""
    return set(admin.client.indices.get(index="logs*,reindex-jobs*,dead_letters*", expand_wildcards="all").body)


def reach(target: SecuredElasticsearch) -> tuple[str, ...]:
    return "--target", target.server.url, "--target-ca", str(target.ca)


def reindex(crate: SecuredCrate, target: SecuredElasticsearch, user: str, folder: Path, *more: str) -> Ended:
    return command(crate, reach(target), user, folder, *REINDEX, *more)


REINDEX = ("reindex", "--table", "logs", "--quiet")


def command(crate: SecuredCrate, target: tuple[str, ...], user: str, folder: Path, *words: str) -> Ended:
    source = ("--source", crate.server.url, "--source-user", "loader", "--source-ca", str(crate.authority.ca))
    return sourceless(target, user, folder, *words, *source, INDEXER_SOURCE_PASSWORD=PASSWORD)


def sourceless(target: tuple[str, ...], user: str, folder: Path, *words: str, **env: str) -> Ended:
    known = {"INDEXER_CACHE": str(folder), "INDEXER_TARGET_PASSWORD": PASSWORDS[user], **env}
    return run(*words, *target, "--target-user", user, cwd=folder, timeout=120, **known)


def test_the_documented_privileges_suffice_for_reindex_verify_and_jobs(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, admin: Cluster, tmp_path: Path
) -> None:
    for _ in range(3):  # the third deletes the index of the first
        ended = reindex(secured_cratedb, secured, "loader", tmp_path)
        assert ended.code == 0, ended.err
    assert "Deleted: logs_" in ended.out
    assert admin.client.count(index="logs")["count"] == ROWS
    verify = ("indexer", "verify", "--index", "logs", "--full", "--json")
    verified = command(secured_cratedb, reach(secured), "loader", tmp_path, *verify)
    assert verified.code == 0, verified.err
    assert json.loads(verified.out)["compared"] == ROWS
    listed = sourceless(reach(secured), "loader", tmp_path, "indexer", "jobs", "--json")
    assert listed.code == 0, listed.err
    assert [json.loads(line)["status"] for line in listed.out.splitlines()] == ["done"] * 3


def test_the_status_of_a_job_is_visible_without_a_refresh(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, admin: Cluster, tmp_path: Path
) -> None:
    """Automatic refreshes of the jobs index are off here, so they cannot hide a missing one."""
    (tmp_path / "wrong.yaml").write_text("fields: {m: long}\n")
    for mapping in ((), ("--mapping", "wrong.yaml")):
        ended = reindex(secured_cratedb, secured, "loader", tmp_path, "--json", *mapping)
        assert ended.code == (WITH_LETTERS if mapping else 0), ended.err
        admin.client.indices.put_settings(index="reindex-jobs", settings={"refresh_interval": "-1"})
    listed = sourceless(reach(secured), "loader", tmp_path, "indexer", "jobs", "--json")
    assert [json.loads(line)["status"] for line in listed.out.splitlines()] == ["done"] * 2
    replay = ("indexer", "replay", json.loads(ended.out)["job"], "--mapping", "wrong.yaml")
    replayed = command(secured_cratedb, reach(secured), "loader", tmp_path, *replay)
    assert replayed.code == WITH_LETTERS, replayed.err


LETTERS = ("--dead-letter-index", "dead_letters")
WITH_LETTERS = 3


def test_the_documented_privileges_suffice_for_a_dead_letter_index(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, admin: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "wrong.yaml").write_text("fields: {m: long}\n")
    ended = reindex(secured_cratedb, secured, "loader", tmp_path, *LETTERS, "--mapping", "wrong.yaml")
    assert ended.code == 3, ended.err
    admin.client.indices.refresh(index="dead_letters")
    assert admin.client.count(index="dead_letters")["count"] == ROWS
    assert reindex(secured_cratedb, secured, "no-letters-manage", tmp_path).code == 0, "who uses none needs none"


@pytest.mark.parametrize("lesser", LESSER_ROLES)
def test_a_missing_elasticsearch_privilege_is_named_before_anything_is_created(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, admin: Cluster, tmp_path: Path, lesser: str
) -> None:
    _, kind, privilege = lesser.split("-")
    where = {
        "cluster": f"privileges [{privilege}",
        "logs": f"{privilege} on logs",
        "jobs": f"{privilege} on reindex",
        "letters": f"{privilege} on dead_letters,",
    }
    ended = reindex(secured_cratedb, secured, lesser, tmp_path, *LETTERS)
    assert ended.code == 2, ended.err
    assert where[kind] in ended.err.partition(": give")[0], "what follows names every privilege"
    assert ended.err.count("\n") == 1
    assert not made(admin)


def test_the_documented_privileges_suffice_for_the_korean_analyzer_fallback(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, admin: Cluster, tmp_path: Path
) -> None:
    """Without the privilege to probe analyzers, none is assumed that index creation would reject."""
    (tmp_path / "korean.yaml").write_text("fields: {m: {type: text, analyzer: korean}}\n")
    ended = reindex(secured_cratedb, secured, "loader", tmp_path, "--mapping", "korean.yaml")
    assert ended.code == 0, ended.err
    assert admin.client.count(index="logs")["count"] == ROWS


YES = refuse(200, b'{"has_all_requested":true,"cluster":{},"index":{}}')


@pytest.mark.parametrize("lesser", LESSER_ROLES)
@pytest.mark.usefixtures("admin")
def test_every_documented_elasticsearch_privilege_is_needed(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, tmp_path: Path, lesser: str
) -> None:
    """Our own check is told that all privileges are present, so only Elasticsearch itself can refuse."""
    (tmp_path / "wrong.yaml").write_text("fields: {m: long}\n")
    with FaultProxy(secured.server.url, pattern="_has_privileges", ca=secured.ca) as proxy:
        proxy.default = YES
        ended = [outcome.err for outcome in in_turn(secured_cratedb, proxy, lesser, tmp_path) if outcome.code in {1, 2}]
    assert len(ended) == 1, "every privilege is needed"
    assert "(403: " in ended[0]


def in_turn(crate: SecuredCrate, proxy: FaultProxy, user: str, folder: Path) -> Iterator[Ended]:
    """Two jobs and a replay on another machine, which together need every privilege; stop at the first failure."""
    (folder / "elsewhere").mkdir()
    target = ("--target", proxy.url)
    mapping = ("--mapping", str(folder / "wrong.yaml"))
    for _ in range(2):
        loaded = command(crate, target, user, folder, *REINDEX, *LETTERS, *mapping, "--json")
        yield loaded
        if loaded.code != WITH_LETTERS:
            return
    yield command(
        crate, target, user, folder / "elsewhere", "indexer", "replay", json.loads(loaded.out)["job"], *mapping
    )


@pytest.mark.usefixtures("admin")
def test_with_all_privileges_the_same_commands_succeed(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, tmp_path: Path
) -> None:
    (tmp_path / "wrong.yaml").write_text("fields: {m: long}\n")
    with FaultProxy(secured.server.url, ca=secured.ca) as proxy:
        ended = list(in_turn(secured_cratedb, proxy, "loader", tmp_path))
    assert [outcome.code for outcome in ended] == [WITH_LETTERS] * 3, ended


@pytest.mark.parametrize("table", ["doc.logs", "sys.shards"])
def test_a_missing_cratedb_privilege_is_named_before_anything_is_created(
    secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, admin: Cluster, tmp_path: Path, table: str
) -> None:
    secured_cratedb.run(f"REVOKE DQL ON TABLE {table} FROM loader")
    try:
        ended = reindex(secured_cratedb, secured, "loader", tmp_path)
    finally:
        secured_cratedb.run(f"GRANT DQL ON TABLE {table} TO loader")
    assert ended.code == 2, ended.err
    assert "loader" in ended.err
    assert table in ended.err
    assert ended.err.count("\n") == 1
    assert not made(admin)
