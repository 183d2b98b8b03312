"""Passwords, tokens and keys never appear in output, tracebacks, reports, job documents or files."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from indexer.sink.client import Cluster, connect
from tests.support.commands import Ended, run
from tests.support.secured_crate import PASSWORD, SecuredCrate
from tests.support.secured_elasticsearch import PASSWORDS, SecuredElasticsearch

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.fixture
def admin(secured: SecuredElasticsearch) -> Iterator[Cluster]:
    with connect(secured.access("admin")) as cluster:
        yield cluster
        for index in cluster.client.indices.get(index="logs*,reindex-jobs*", expand_wildcards="all").body:
            cluster.client.indices.delete(index=index)


class Servers:
    """Both servers, and their credentials in the forms that options accept."""

    def __init__(self, crate: SecuredCrate, target: SecuredElasticsearch, folder: Path) -> None:
        self.folder = folder
        self.token = crate.token()
        self.secrets = {PASSWORD, quote(PASSWORD), PASSWORDS["loader"], self.token, "c2VjcmV0OmtleQ=="}
        self.source, self.target = crate.server.url, target.server.url
        self.files = {"source_ca": str(crate.authority.ca), "target_ca": str(target.ca)}

    def with_user(self, url: str, password: str) -> str:
        return url.replace("https://", f"https://loader:{quote(password)}@")

    def in_the_url(self) -> dict[str, str]:
        return {
            "source": self.with_user(self.source, PASSWORD),
            "target": self.with_user(self.target, PASSWORDS["loader"]),
            **self.files,
        }

    def beside_the_url(self) -> dict[str, str]:
        return {
            "source": self.source, "source_user": "loader", "source_password": PASSWORD,
            "target": self.target, "target_user": "loader", "target_password": PASSWORDS["loader"], **self.files,
        }  # fmt: skip

    def assert_secret(self, text: str) -> None:
        for secret in self.secrets:
            assert secret not in text


@pytest.fixture
def servers(secured_cratedb: SecuredCrate, secured: SecuredElasticsearch, tmp_path: Path) -> Servers:
    return Servers(secured_cratedb, secured, tmp_path)


def as_options(settings: dict[str, str], *, but: str = "none") -> list[str]:
    return [
        part
        for name, value in settings.items()
        if not name.startswith(but)
        for part in (f"--{name.replace('_', '-')}", value)
    ]


def as_environment(settings: dict[str, str]) -> dict[str, str]:
    return {f"INDEXER_{name.upper()}": value for name, value in settings.items()}


def secret_run(servers: Servers, *arguments: str, **env: str) -> Ended:
    ended = run(*arguments, cwd=servers.folder, timeout=120, **{"INDEXER_CACHE": str(servers.folder), **env})
    servers.assert_secret(ended.out + ended.err)
    return ended


COMMANDS = [
    ["indexer", "plan", "--table", "logs"],
    ["indexer", "plan", "--table", "logs", "--json"],
    ["indexer", "mapping", "--table", "logs"],
    ["reindex", "--table", "logs"],
    ["reindex", "--table", "logs", "--json"],
    ["indexer", "verify", "--index", "logs"],
    ["indexer", "verify", "--index", "logs", "--full", "--json"],
    ["indexer", "search", "m1", "--explain"],
    ["indexer", "search", "m1"],
    ["indexer", "jobs", "--json"],
    ["indexer", "rollback", "--index", "logs"],
    ["indexer", "jobs", "clean"],
]


@pytest.mark.parametrize("how", ["options", "environment", "file"])
def test_no_command_shows_a_secret(servers: Servers, admin: Cluster, how: str) -> None:
    settings = servers.in_the_url() if how == "options" else servers.beside_the_url()
    env = as_environment(settings) if how == "environment" else {}
    if how == "file":
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        (servers.folder / "indexer.toml").write_text("".join(lines))
    for command in COMMANDS:
        sourceless = command[1] in {"search", "jobs", "rollback"}
        options = as_options(settings, but="source" if sourceless else "none") if how == "options" else []
        ended = secret_run(servers, *command, *options, "--debug", **env)
        assert ended.code == 0, (command, ended.err)
    jobs = admin.client.indices.get_alias(name="logs").body
    options = as_options(settings, but="source") if how == "options" else []
    shown = secret_run(servers, "indexer", "jobs", "show", *jobs, *options, "--debug", **env)
    assert shown.code == 0, shown.err
    servers.assert_secret(kept(servers, admin))


def kept(servers: Servers, admin: Cluster) -> str:
    """Everything jobs have written: documents, mappings, settings and files."""
    client = admin.client
    found = [client.search(index="logs*,reindex-jobs*", size=10_000).body, client.indices.get(index="logs*").body]
    assert found[0]["hits"]["total"]["value"] > 1_000
    files = [path for path in servers.folder.rglob("*") if path.is_file() and path.name != "indexer.toml"]
    assert [path for path in files if path.name == "report.json"]
    return json.dumps(found) + "".join(path.read_text() for path in files)


WRONG = {
    "no such host": {"source": "https://loader:change%20me@no-such-host.invalid", "target": "https://no.invalid"},
    "no server": {"source": "crate://loader:change%20me@localhost:1"},
    "no Elasticsearch": {"target": "https://loader:few-word@localhost:1"},
    "wrong password": {"source_user": "loader", "source_password": "few-word"},
    "wrong password there": {"target_user": "loader", "target_password": "change me"},
    "a URL in pieces": {"source": "https://loader:few-word/@localhost"},
    "a port in pieces": {"source": "https://loader:few-word@localhost:x"},
    "a password with a slash": {"target": "https://few-word/x@localhost:9200"},
    "a password as a port": {"target": "https://loader:few-word"},
    "a password as CrateDB's port": {"source": "https://loader:few-word"},
    "a database": {"source": "postgresql+nothing://loader:few-word@localhost/db"},
    "a database in pieces": {"source": "postgresql://loader:few-word@localhost:x/db"},
    "a token and a user": {"source_jwt": "few-word", "source_user": "loader"},
    "an API key and a user": {"target_api_key": "few-word", "target_user": "loader"},
    "a wrong API key": {"target_api_key": "c2VjcmV0OmtleQ=="},
    "a wrong token": {"source_jwt": "few-word"},
}


@pytest.mark.parametrize("debug", [False, True], ids=["sentence", "traceback"])
@pytest.mark.parametrize("wrong", WRONG)
def test_no_error_message_shows_a_secret(servers: Servers, wrong: str, debug: bool) -> None:  # noqa: FBT001  # by name
    settings = {**servers.files, "source": servers.source, "target": servers.target, **WRONG[wrong]}
    more = ["--debug"] if debug else []
    ended = secret_run(servers, "indexer", "plan", "--table", "logs", *as_options(settings), *more)
    assert ended.code == (1 if debug else 2), ended.err
    assert ("Traceback" in ended.err) is debug


def test_a_secret_of_the_wrong_type_in_the_config_file_is_not_shown(servers: Servers) -> None:
    for line in ("source_password = 20261122", "target_api_key = [20261122]", 'source = ["crate://a:20261122@b"]'):
        (servers.folder / "indexer.toml").write_text(f"{line}\n")
        for more in ([], ["--debug"]):
            ended = run("indexer", "plan", *more, cwd=servers.folder)
            assert ended.code == (1 if more else 2)
            assert line.partition(" ")[0].replace("_", "-") in ended.err.replace("_", "-")
            assert "20261122" not in ended.err
