"""A job with exactly the privileges that the README lists, and with each of them taken away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.target.client import Cluster, connect
from tests.commands import Ended, run
from tests.secured import LESSER, PASSWORDS, Secured
from tests.secured_crate import PASSWORD, ROWS, SecuredCrate

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.fixture
def admin(secured: Secured) -> Iterator[Cluster]:
    with connect(secured.access("admin")) as cluster:
        yield cluster
        for index in made(cluster):
            cluster.client.indices.delete(index=index)


def made(admin: Cluster) -> set[str]:
    """What a job makes."""
    return set(admin.client.indices.get(index="logs*,reindex-jobs*,dead_letters*", expand_wildcards="all").body)


def reindex(crate: SecuredCrate, target: Secured, user: str, folder: Path, *more: str) -> Ended:
    return run(
        "reindex", "--table", "logs", "--page", "100", "--quiet", *more,
        "--source", crate.server.url, "--source-user", "loader", "--source-ca", str(crate.authority.ca),
        "--target", target.server.url, "--target-user", user, "--target-ca", str(target.ca),
        cwd=folder, INDEXER_SOURCE_PASSWORD=PASSWORD, INDEXER_TARGET_PASSWORD=PASSWORDS[user],
    )  # fmt: skip


def test_what_the_readme_lists_is_enough(
    secured_cratedb: SecuredCrate, secured: Secured, admin: Cluster, tmp_path: Path
) -> None:
    for _ in range(3):  # the third deletes an index of the first
        ended = reindex(secured_cratedb, secured, "loader", tmp_path)
        assert ended.code == 0, ended.err
    assert "Deleted: logs_" in ended.out
    assert admin.client.count(index="logs")["count"] == ROWS


LETTERS = ("--dead-letter-index", "dead_letters")


def test_what_the_readme_lists_is_enough_for_an_index_of_dead_letters(
    secured_cratedb: SecuredCrate, secured: Secured, admin: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "wrong.yaml").write_text("fields: {m: long}\n")
    ended = reindex(secured_cratedb, secured, "loader", tmp_path, *LETTERS, "--mapping", "wrong.yaml")
    assert ended.code == 3, ended.err
    admin.client.indices.refresh(index="dead_letters")
    assert admin.client.count(index="dead_letters")["count"] == ROWS
    assert reindex(secured_cratedb, secured, "no-letters-manage", tmp_path).code == 0, "who uses none needs none"


@pytest.mark.parametrize("lesser", LESSER)
def test_each_that_is_missing_in_elasticsearch_is_named_before_anything_is_made(
    secured_cratedb: SecuredCrate, secured: Secured, admin: Cluster, tmp_path: Path, lesser: str
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


@pytest.mark.parametrize("table", ["doc.logs", "sys.shards"])
def test_each_that_is_missing_in_cratedb_is_named_before_anything_is_made(
    secured_cratedb: SecuredCrate, secured: Secured, admin: Cluster, tmp_path: Path, table: str
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
