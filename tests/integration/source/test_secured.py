"""A CrateDB with TLS and authentication: every kind of credential, and the errors for wrong ones."""

from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.errors import SourceError
from indexer.model.table.table import TableName
from indexer.sandbox.process import wait_until
from indexer.source.cratedb import CrateSource
from tests.support.certificates import Authority
from tests.support.commands import run
from tests.support.secured_crate import PASSWORD, ROWS, SecuredCrate

pytestmark = pytest.mark.cratedb

LOGS = TableName("logs", "doc")


def rows(source: CrateSource) -> int:
    table = source.describe(LOGS)
    assert source.unavailable_shards(table) == ()
    stored = source.stored_rows(table)
    source.close()
    assert table.rows == stored
    return table.rows


def credentials(secured: SecuredCrate, way: str) -> dict[str, object]:
    card: dict[str, object] = {"cert": secured.card.cert, "cert_key": secured.card.key}
    ways: dict[str, dict[str, object]] = {
        "password": {"user": "loader", "password": PASSWORD},
        "url": {"url": secured.server.url.replace("https://", "https://loader:change%20me@")},
        "crate-url": {"url": f"crate://loader:change%20me@localhost:{secured.port}/?sslmode=verify-full"},
        "card": card,
        "card-and-user": {**card, "user": "carded"},
        "token": {"jwt": secured.token()},
    }
    return ways[way]


@pytest.mark.parametrize("way", ["password", "url", "crate-url", "card", "card-and-user", "token"])
def test_every_kind_of_credential_is_accepted(secured_cratedb: SecuredCrate, way: str) -> None:
    access = secured_cratedb.access(**credentials(secured_cratedb, way))
    assert rows(CrateSource(access)) == ROWS


def test_without_verification_any_certificate_is_accepted(secured_cratedb: SecuredCrate) -> None:
    access = secured_cratedb.access(user="loader", password=PASSWORD, ca=None, verify=False)
    assert rows(CrateSource(access)) == ROWS


WRONG = {
    "wrong password": (["--source-user", "loader", "--source-password", "wr0ng"], "--source-password"),
    "no password": (["--source-user", "loader"], "--source-password"),
    "no such user": (["--source-user", "nobody", "--source-password", "wr0ng"], "--source-password"),
    "no card": (["--source-user", "carded"], "--source-cert"),
    "another's card": (["--source-user", "loader", "--source-cert", "{card}", "--source-cert-key", "{key}"], "loader"),
    "expired token": (["--source-jwt", "{expired}"], "expired"),
    "forged token": (["--source-jwt", "{token}x"], "--source-jwt"),
    "no token": (["--source-jwt", "wr0ng"], "--source-jwt is not a JSON Web Token"),
    "another's token": (["--source-jwt", "{foreign}"], "aud"),
    "unknown authority": (["--source-ca", "{other}", "--source-user", "loader"], "--source-ca"),
    "no authority": (["--no-ca", "--source-user", "loader"], "--source-ca"),
    "another host's certificate": (["--source", "https://127.1:{port}"], "host name from the certificate"),
    "no TLS": (["--source", "http://localhost:{port}", "--no-ca"], "https://"),
    "a CA without TLS": (["--source", "http://localhost:{port}"], "write https://"),
    "two credentials": (["--source-user", "loader", "--source-jwt", "wr0ng"], "are mutually exclusive"),
    "no file of authorities": (["--source-ca", "nowhere.pem"], "--source-ca nowhere.pem cannot be read"),
    "no certificates in the file": (["--source-ca", "{key}"], "cannot be read as PEM"),
    "a key without its certificate": (["--source-cert-key", "{key}"], "--source-cert"),
    "a certificate without its key": (["--source-cert", "{card}"], "--source-cert-key"),
    "a key of another": (["--source-cert", "{card}", "--source-cert-key", "{other-key}"], "--source-cert-key"),
}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that neither side trusts."""
    return Authority(tmp_path_factory.mktemp("other"), "other").make()


@pytest.mark.elasticsearch
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_credentials_are_refused_in_one_sentence(
    secured_cratedb: SecuredCrate, other: Authority, elasticsearch_url: str, alias: str, tmp_path: Path, wrong: str
) -> None:
    options, sentence = WRONG[wrong]
    known = {
        "{card}": str(secured_cratedb.card.cert),
        "{key}": str(secured_cratedb.card.key),
        "{other}": str(other.ca),
        "{other-key}": str(other.folder / "other.key"),
        "{port}": secured_cratedb.port,
        "{token}": secured_cratedb.token(),
        "{expired}": secured_cratedb.token(-60),
        "{foreign}": secured_cratedb.issuer.token("bearer", "another audience"),
    }
    given = [_filled(option, known) for option in options]
    usual = {"--source": secured_cratedb.server.url, "--source-ca": str(secured_cratedb.authority.ca)}
    if "--no-ca" in given:
        given.remove("--no-ca")
        del usual["--source-ca"]
    more = [part for name, value in usual.items() if name not in given for part in (name, value)]
    ended = run(
        "reindex", *given, *more, "--target", elasticsearch_url, "--index", alias, "--jobs-index", f"{alias}_jobs",
        cwd=tmp_path,
    )  # fmt: skip
    assert ended.code == 2, ended.err
    assert sentence in ended.err
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert "wr0ng" not in ended.err
    assert known["{token}"][:40] not in ended.err
    with Elasticsearch(elasticsearch_url) as client:
        assert not client.indices.get(index=f"{alias}*")


def _filled(option: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        option = option.replace(name, value)
    return option


def test_a_token_that_expires_mid_job_is_not_retried(secured_cratedb: SecuredCrate) -> None:
    """The server checks the token on every request, so waiting would not help."""
    with closing(CrateSource(secured_cratedb.access(jwt=secured_cratedb.token()))) as other:
        table = other.describe(LOGS)
    source = CrateSource(secured_cratedb.access(jwt=secured_cratedb.token(3)))
    raised: list[SourceError] = []

    def refused() -> bool:
        try:
            source.unavailable_shards(table)
        except SourceError as error:
            raised.append(error)
        return bool(raised)

    assert wait_until(refused, 30)
    source.close()
    assert not raised[0].retryable
    assert "expired" in str(raised[0])
    assert "--source-jwt" in str(raised[0])


def test_tls_options_are_refused_for_databases_other_than_cratedb(tmp_path: Path) -> None:
    (tmp_path / "logs.db").touch()
    ended = run("indexer", "plan", "--source", f"sqlite:///{tmp_path}/logs.db", "--source-ca", "ca.pem", cwd=tmp_path)
    assert ended.code == 2
    assert "--source-ca applies only to CrateDB" in ended.err
