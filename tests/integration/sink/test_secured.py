"""A server with TLS, passwords and privileges: what is accepted, and the errors for what is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from indexer.access import TargetAccess
from indexer.errors import TargetError, UsageError
from indexer.query.search import search_alias
from indexer.sandbox.sample_table import load_sqlite_sample
from indexer.sink.bulk import BulkWriter
from indexer.sink.capabilities import probe_capabilities
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from indexer.sink.privileges import refuse_unprivileged
from tests.support.bulk_lines import NOW, line, lines, new_index
from tests.support.commands import run
from tests.support.documentation import loader_role
from tests.support.secured_elasticsearch import MAX_CONTENT, SecuredElasticsearch

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def cluster(secured: SecuredElasticsearch) -> Iterator[Cluster]:
    """Connected as a user with all privileges on logs* and monitor on the cluster."""
    with connect(secured.access("writer")) as connected:
        yield connected
        for index in connected.client.indices.get(index="logs*", expand_wildcards="all").body:
            connected.client.indices.delete(index=index)


def test_a_user_with_few_privileges_can_run_a_whole_job(cluster: Cluster) -> None:
    indexes = Indexes(cluster)
    indexes.refuse_concrete("logs")
    refuse_unprivileged(cluster, "logs", "logs-jobs")
    assert probe_capabilities(cluster, ["cjk"], ["text"]).field_types == {"text"}
    for count in (1, 2):
        name = new_index(cluster, "logs")
        assert indexes.matching_templates(name) == ()
        assert BulkWriter(cluster, name).write(lines(count)).acknowledged == count
        indexes.finish(name, {})
        indexes.switch("logs", name)
        assert indexes.count("logs") == count
        assert search_alias(cluster, "logs", "*").total == count
    assert len(indexes.delete_old("logs", keep=0)) == 1


def test_an_alias_without_privileges_is_refused_and_they_are_named(cluster: Cluster) -> None:
    with pytest.raises(UsageError, match=r"lacks .*manage on elsewhere.* role .*manage, read, write on elsewhere"):
        refuse_unprivileged(cluster, "elsewhere", "logs-jobs")


def test_a_read_only_user_can_search_but_not_load(secured: SecuredElasticsearch, cluster: Cluster) -> None:
    name = new_index(cluster, "logs")
    Indexes(cluster).switch("logs", name)
    with connect(secured.access("reader")) as reader:
        assert search_alias(reader, "logs", "*").total == 0
        with pytest.raises(UsageError, match=r"lacks manage on logs, write on logs"):
            refuse_unprivileged(reader, "logs", "logs-jobs")
        with pytest.raises(UsageError, match=r"403: security_exception.*grant the user the privilege"):
            Indexes(reader).create("logs_20300101_000000", {}, {}, {})
        with pytest.raises(TargetError, match=r"403: security_exception.*grant the user the privilege"):
            BulkWriter(reader, name, alias="logs").write([line("1")])


def test_the_error_without_the_monitor_privilege_names_it(secured: SecuredElasticsearch) -> None:
    with pytest.raises(UsageError, match=r"403: security_exception.*cluster privileges \[monitor"):
        connect(secured.access("blind"))


@pytest.mark.parametrize("password", ["wrong", "", "few-word "])
def test_a_wrong_password_is_refused_and_not_shown(secured: SecuredElasticsearch, password: str) -> None:
    access = secured.access("writer").model_copy(update={"password": SecretStr(password)})
    with pytest.raises(UsageError, match="check --target-user and --target-password") as refused:
        connect(access)
    assert not password or password not in str(refused.value)


def test_no_credentials_are_refused(secured: SecuredElasticsearch) -> None:
    with pytest.raises(UsageError, match="rejected the login"):
        connect(TargetAccess(url=secured.server.url, ca=secured.ca))


def test_a_client_certificate_authenticates_the_user(secured: SecuredElasticsearch, cluster: Cluster) -> None:
    name = new_index(cluster, "logs")
    access = TargetAccess(url=secured.server.url, ca=secured.ca, cert=secured.card.cert, cert_key=secured.card.key)
    with connect(access) as carded:
        assert BulkWriter(carded, name).write(lines(1)).acknowledged == 1
    with pytest.raises(UsageError, match="no-target-verify"):
        connect(access.model_copy(update={"verify": False}))


@pytest.fixture
def api_key(secured: SecuredElasticsearch) -> Iterator[str]:
    """An API key with the documented privileges."""
    with connect(secured.access("admin")) as admin:
        keys = admin.client.security
        made = keys.create_api_key(name="tests", role_descriptors={"loader": loader_role()}).body
        yield str(made["encoded"])
        keys.invalidate_api_key(ids=[made["id"]])
        admin.client.options(ignore_status=404).indices.delete(index="reindex-jobs")


def test_an_api_key_alone_suffices_for_reindex_and_search(
    secured: SecuredElasticsearch, cluster: Cluster, api_key: str, tmp_path: Path
) -> None:
    load_sqlite_sample(tmp_path / "logs.db", 500)
    (tmp_path / "indexer.toml").write_text(f'target_api_key = "{api_key}"\n')
    reach = ("--target", secured.server.url, "--target-ca", str(secured.ca))
    ended = run(
        "reindex", "--source", f"sqlite:///{tmp_path}/logs.db", *reach, cwd=tmp_path, INDEXER_CACHE=str(tmp_path)
    )
    assert (ended.code, api_key in ended.out + ended.err) == (0, False), ended.err
    assert cluster.client.count(index="logs")["count"] == 500
    found = run("indexer", "search", "*", "--size", "1", "--json", *reach, cwd=tmp_path)
    assert found.code == 0, found.err


def test_a_revoked_api_key_is_refused(secured: SecuredElasticsearch, api_key: str) -> None:
    access = TargetAccess(url=secured.server.url, ca=secured.ca, api_key=SecretStr(api_key))
    with connect(access) as keyed:
        assert keyed.version
    with connect(secured.access("admin")) as admin:
        admin.client.security.invalidate_api_key(name="tests")
    with pytest.raises(UsageError, match="--target-api-key"):
        connect(access)


def test_a_wrong_api_key_is_refused(secured: SecuredElasticsearch) -> None:
    with pytest.raises(UsageError, match="--target-api-key"):
        connect(TargetAccess(url=secured.server.url, ca=secured.ca, api_key=SecretStr("a2V5OndvcmQ=")))


def test_an_unknown_ca_is_refused_unless_verification_is_off(secured: SecuredElasticsearch) -> None:
    access = secured.access("writer").model_copy(update={"ca": None})
    with pytest.raises(UsageError, match=r"TLS certificate not trusted.*--target-ca"):
        connect(access)
    with connect(access.model_copy(update={"verify": False})) as cluster:
        assert cluster.version


def test_a_certificate_for_another_host_is_refused(secured: SecuredElasticsearch) -> None:
    access = secured.access("writer").model_copy(update={"url": secured.server.url.replace("localhost", "127.1")})
    with pytest.raises(UsageError, match="TLS certificate not trusted"):
        connect(access)


def test_plain_http_to_a_tls_server_suggests_https(secured: SecuredElasticsearch) -> None:
    with pytest.raises(UsageError, match="http:// or https://"):
        connect(TargetAccess(url=secured.server.url.replace("https", "http")))


def test_credentials_in_the_url_work(secured: SecuredElasticsearch) -> None:
    url = secured.server.url.replace("https://", "https://writer:few%2Dword@")
    with connect(TargetAccess(url=url, ca=secured.ca)) as cluster:
        assert "word" not in repr(cluster)
        assert cluster.client.indices.exists_alias(name="logs") is not None


def test_a_413_from_the_server_splits_a_batch(cluster: Cluster) -> None:
    name = Indexes(cluster).new_name("logs", NOW)
    new_index(cluster, "logs")
    wide = [line(str(n), text="x" * 30_000) for n in range(100)]
    huge = line("huge", text="x" * (MAX_CONTENT + 1))
    written = BulkWriter(cluster, name).write([*wide, huge])
    assert (written.acknowledged, written.retries) == (100, 0)
    assert [(letter.id, letter.status) for letter in written.dead_letters] == [("huge", 413)]
