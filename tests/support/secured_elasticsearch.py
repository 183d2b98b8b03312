"""An Elasticsearch with passwords, API keys, privileges and TLS."""

import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import yaml
from elasticsearch import ElasticsearchWarning

from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.sandbox.download import distribution, java_home
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Launch, Server, ServerOrigin
from indexer.sink.client import connect
from tests.support.certificates import Authority, Pair
from tests.support.documentation import lesser_roles, loader_role
from tests.support.quick_servers import ONE_COMPILER

__all__ = [
    "LESSER_ROLES",
    "MAX_CONTENT",
    "PASSWORDS",
    "SecuredElasticsearch",
    "server_home",
    "start_secured_elasticsearch",
]

MAX_CONTENT = 1_000_000
"""Maximum bytes of a request body."""

LESSER_ROLES = lesser_roles()
"""The job's role, each time without one of its privileges."""

_ROLES = {
    "writer": {"cluster": ["monitor"], "indices": [{"names": ["logs*"], "privileges": ["all"]}]},
    "reader": {
        "cluster": ["monitor"],
        "indices": [{"names": ["logs*"], "privileges": ["read", "view_index_metadata"]}],
    },
    "blind": {"cluster": [], "indices": [{"names": ["logs*"], "privileges": ["read"]}]},
    "admin": {"cluster": ["all"], "indices": [{"names": ["*"], "privileges": ["all"]}]},
    "system": {
        "cluster": ["all"],
        "indices": [{"names": ["*"], "privileges": ["all"], "allow_restricted_indices": True}],
    },
    "loader": loader_role(),
    **LESSER_ROLES,
}

_WRITER = "$2a$10$k6y0RYrE6RdiDxBnH.H9cuT90fWsP15H8aKfO/RQh9e3IkITzrq7S"
_HASHES = {
    **dict.fromkeys(_ROLES, _WRITER),
    "reader": "$2a$10$8dTCBRxqCa4nv0OAKxtxN.T8jpjcw3QVy0Vzp4aVjdmivkp8YeKwm",
    "blind": "$2a$10$a3u9BAA/S1CxLekRXhgr/uPa5eszCZEVQak5K0k1Hhi8y1XYlItq.",
}
PASSWORDS = {**dict.fromkeys(_ROLES, "few-word"), "reader": "watch-word", "blind": "none-word"}
"""The passwords of the hashes above (bcrypt)."""


@dataclass(frozen=True)
class SecuredElasticsearch:
    """The server, the authority that signed its certificate, and a user's certificate from the same authority."""

    server: Server
    ca: Path
    card: Pair

    def access(self, user: str, password: str | None = None) -> TargetAccess:
        """The access settings of a user, with the right password unless another is given."""
        return TargetAccess.model_validate(
            {"url": self.server.url, "user": user, "password": password or PASSWORDS[user], "ca": self.ca}
        )


def server_home() -> Path:
    """The folder of the unpacked distribution.

    Raises:
        UsageError: if there is none, and it cannot be downloaded.
    """
    return Path(os.environ.get("ES_HOME") or distribution())


def start_secured_elasticsearch(folder: Path) -> SecuredElasticsearch:
    """Start the server in the folder.

    Raises:
        UsageError: if it does not start; with the end of its log.
    """
    home = server_home()
    config, port = folder / "config", free_port(9243)
    for name in ("config/jvm.options.d", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True)
    authority = Authority(config).make()
    authority.issue("node", "DNS:localhost,IP:127.0.0.1")
    ca, card = authority.ca, authority.issue("carded")
    _configure(folder, home, port)
    url = f"https://localhost:{port}"
    paths = {"ES_JAVA_HOME": java_home(), "ES_PATH_CONF": config, "ES_TMPDIR": folder / "tmp"}
    server = Launch(
        name="Elasticsearch",
        url=url,
        origin=ServerOrigin.EMBEDDED,
        command=[home / "bin" / "elasticsearch"],
        environment={name: str(path) for name, path in paths.items()},
        folder=folder,
        ready=lambda: _answers(SecuredElasticsearch(Server("Elasticsearch", url, ServerOrigin.EMBEDDED), ca, card)),
        remedy="see its log",
    ).start()
    secured = SecuredElasticsearch(server, ca, card)
    _make_security_index(secured)
    return secured


def _make_security_index(secured: SecuredElasticsearch) -> None:
    """Create the index of API keys, which the plain distribution cannot: it lacks a filter of the analyzer `email`.

    The server accepts a clone of an index with another analyzer of that name, and puts its own mapping there.
    """
    analyzer = {"email": {"tokenizer": "standard", "filter": ["lowercase"]}}
    seed = {"number_of_replicas": 0, "analysis": {"analyzer": analyzer}}
    with connect(secured.access("system")) as cluster:
        indices = cluster.client.options(ignore_status=400).indices  # 400: a full distribution has created it
        indices.create(index="seed", settings=seed)
        indices.add_block(index="seed", block="write")
        settings = {"index.blocks.write": None, "index.format": 6}
        with warnings.catch_warnings():  # a warning about access to system indexes
            warnings.simplefilter("ignore", ElasticsearchWarning)
            indices.clone(index="seed", target=".security-7", aliases={".security": {}}, settings=settings)
        indices.delete(index="seed")


def _answers(secured: SecuredElasticsearch) -> bool:
    try:
        with connect(secured.access("writer")):
            return True
    except UsageError:
        return False


def _configure(folder: Path, home: Path, port: int) -> None:
    config = folder / "config"
    settings = {
        "cluster.name": "indexer-secured",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": port,
        "http.max_content_length": f"{MAX_CONTENT}b",
        "discovery.type": "single-node",
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "xpack.security.enabled": True,
        "xpack.security.transport.ssl.enabled": False,
        "xpack.security.http.ssl.enabled": True,
        "xpack.security.http.ssl.key": "node.key",
        "xpack.security.http.ssl.certificate": "node.pem",
        "xpack.security.http.ssl.certificate_authorities": "ca.pem",
        "xpack.security.http.ssl.client_authentication": "optional",
        "xpack.license.self_generated.type": "trial",  # required for users with certificates
        "xpack.security.authc.realms.file.passwords.order": 0,
        "xpack.security.authc.realms.pki.cards.order": 1,
        "xpack.security.authc.realms.pki.cards.certificate_authorities": "ca.pem",
    }
    (config / "elasticsearch.yml").write_text(yaml.safe_dump(settings))
    (config / "roles.yml").write_text(yaml.safe_dump(_ROLES))
    (config / "users").write_text("".join(f"{user}:{hash_}\n" for user, hash_ in _HASHES.items()))
    (config / "role_mapping.yml").write_text(yaml.safe_dump({"writer": ["CN=carded"]}))
    (config / "users_roles").write_text("".join(f"{user}:{user}\n" for user in _HASHES))
    # Modules may write to Java's temporary folder, so it must not contain the configuration.
    (config / "jvm.options").write_text(f"-Xms512m\n-Xmx512m\n-Djava.io.tmpdir=${{ES_TMPDIR}}\n{ONE_COMPILER}\n")
    shutil.copy(home / "config" / "log4j2.properties", config)
