"""A CrateDB with TLS, passwords, client certificates and tokens."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from indexer.access import SourceAccess
from indexer.errors import IndexerError
from indexer.model.json import Row
from indexer.sandbox.cratedb import READY
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Launch, Server, ServerOrigin
from indexer.source.cratedb_client import CrateConnection
from indexer.source.url import parse_source_url
from tests.support.certificates import Authority, Pair
from tests.support.documentation import loader_grants
from tests.support.token_issuer import Issuer

__all__ = ["AUDIENCE", "PASSWORD", "ROWS", "SecuredCrate", "secured_crate"]

PASSWORD = "change me"
"""The password that the documentation gives the user `loader`."""

ROWS = 1_000
"""The rows of the table `doc.logs`."""

AUDIENCE = "the-tests"
_STORE = "store-word"
_HEAP = "512m"


@dataclass(frozen=True)
class SecuredCrate:
    """The server and the credentials of its users.

    The superuser `crate` is trusted; `loader` has a password, `carded` a certificate, `bearer` a token. These three
    have the privileges that docs/privileges.md lists.
    """

    server: Server
    authority: Authority
    card: Pair
    issuer: Issuer

    @property
    def port(self) -> str:
        return self.server.url.rpartition(":")[2]

    def access(self, **more: object) -> SourceAccess:
        """The access settings, with its authority unless `more` says otherwise."""
        return SourceAccess.model_validate({"url": self.server.url, "ca": self.authority.ca, **more})

    def run(self, sql: str) -> list[Row]:
        """Run a statement as the superuser."""
        access = self.access(user="crate")
        connection = CrateConnection(access, parse_source_url(access))
        try:
            return connection.run(sql)
        finally:
            connection.close()

    def token(self, seconds: float = 600) -> str:
        """A token for the user `bearer`."""
        return self.issuer.token("bearer", AUDIENCE, seconds)


@contextmanager
def secured_crate(home: Path, folder: Path) -> Iterator[SecuredCrate]:
    """Start the server in the folder, with its users and the table `doc.logs`.

    Raises:
        UsageError: if it does not start; with the end of its log.
    """
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True)
    authority = Authority(folder / "config").make()
    port = free_port(4243)
    _configure(folder, home, authority, port)
    with Issuer(folder / "config") as issuer:
        url = f"https://localhost:{port}"
        secured = SecuredCrate(Server("CrateDB", url, ServerOrigin.HOME), authority, authority.issue("carded"), issuer)
        server = _launch(home, folder, secured).start()
        try:
            _create_users(secured)
            yield SecuredCrate(server, authority, secured.card, issuer)
        finally:
            server.stop()


def _launch(home: Path, folder: Path, secured: SecuredCrate) -> Launch:
    return Launch(
        name="CrateDB",
        url=secured.server.url,
        origin=ServerOrigin.HOME,
        command=[home / "bin" / "crate", f"-Cpath.conf={folder / 'config'}"],
        environment={
            "CRATE_HEAP_SIZE": _HEAP,
            "CRATE_HEAP_DUMP_PATH": str(folder),
            "CRATE_DISABLE_GC_LOGGING": "1",
            "CRATE_JAVA_OPTS": f"-Djava.io.tmpdir={folder / 'tmp'} -XX:-UsePerfData",
        },
        folder=folder,
        ready=lambda: _answers(secured),
        remedy="see its log",
    )


def _answers(secured: SecuredCrate) -> bool:
    try:
        return secured.run(READY) == [[1]]
    except IndexerError:
        return False


def _create_users(secured: SecuredCrate) -> None:
    secured.run(
        "CREATE TABLE logs (id BIGINT, day INTEGER, m TEXT, PRIMARY KEY (id, day))"
        " CLUSTERED INTO 2 SHARDS PARTITIONED BY (day) WITH (number_of_replicas = 0)"
    )
    secured.run(f"INSERT INTO logs SELECT i, i % 3, 'm' || i FROM generate_series(1, {ROWS}) AS t (i)")
    secured.run("CREATE USER carded")
    secured.run(
        f"CREATE USER bearer WITH (jwt = {{iss = '{secured.issuer.url}', username = 'bearer', aud = '{AUDIENCE}'}})"
    )
    create, *grants = loader_grants()
    secured.run(create)
    for grant in grants:
        for user in ("loader", "carded", "bearer"):
            secured.run(grant.replace("loader", user))


def _configure(folder: Path, home: Path, authority: Authority, port: int) -> None:
    node = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
    settings = {
        "cluster.name": "indexer-secured",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": port,
        "discovery.type": "single-node",
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "udc.enabled": False,
        "ssl.http.enabled": True,
        "ssl.keystore_filepath": str(authority.keystore(node, _STORE)),
        "ssl.keystore_password": _STORE,
        "ssl.keystore_key_password": _STORE,
        "ssl.truststore_filepath": str(authority.truststore(home / "jdk" / "bin" / "keytool", _STORE)),
        "ssl.truststore_password": _STORE,
        "auth.host_based.enabled": True,
        "auth.host_based.config": {
            "0": {"user": "crate", "address": "_local_", "method": "trust"},
            "1": {"user": "carded", "method": "cert", "protocol": "http", "ssl": "on"},
            "2": {"user": "bearer", "method": "jwt", "protocol": "http"},
            "99": {"method": "password"},
        },
    }
    (folder / "config" / "crate.yml").write_text(yaml.safe_dump(settings), "utf-8")
    shutil.copyfile(home / "config" / "log4j2.properties", folder / "config" / "log4j2.properties")
