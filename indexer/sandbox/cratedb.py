"""A local CrateDB: one that is there, else one that is started here; no package registry has the server to download."""

import os
import shutil
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import yaml

from indexer.errors import UsageError
from indexer.model.json import JsonObject, Row
from indexer.sandbox.docker import Image, docker_answers
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Launch, Server, ServerOrigin, http_get, json_object, wait_until_ready

__all__ = [
    "HOW_TO_GET",
    "NAME",
    "PORT",
    "READY",
    "configure_node",
    "crate_home",
    "crate_launch",
    "cratedb_answers",
    "find_cratedb",
    "node_launch",
    "query_node",
    "start_cratedb",
]

NAME: Final = "CrateDB"
VERSION: Final = "6.4.3"
PORT: Final = 4200
HOME: Final = Path("/opt/crate")
HEAP: Final = "2g"

HOW_TO_GET: Final = (
    "There is no CrateDB: set CRATEDB_URL to a server, unpack one into CRATEDB_HOME or /opt/crate, or start Docker."
)
REMEDY: Final = "fix what its log reports, or set CRATEDB_URL to another server"

READY: Final = (
    "SELECT count(*) FROM sys.cluster_health"
    " WHERE missing_shards = 0 AND (health = 'GREEN' OR underreplicated_shards > 0)"
)
"""Returns 1 once the node knows every table and all primary shards are available.

Before a node knows its tables, `sys.health` has no row, thus none that is red, and the cluster is yellow although no
shard is missing (measured on 6.4.3).
"""

IMAGE: Final = Image(
    name=f"crate:{VERSION}",
    port=PORT,
    environment={"CRATE_HEAP_SIZE": HEAP},
    command=("-Cdiscovery.type=single-node",),
)


def find_cratedb(url: str | None = None, *, port: int = PORT) -> Server | None:
    """The server given by URL or CRATEDB_URL, or one that answers on the local port."""
    given = url or os.environ.get("CRATEDB_URL")
    if given:
        return Server(NAME, given, ServerOrigin.GIVEN)
    local = f"crate://localhost:{port}"
    return Server(NAME, local, ServerOrigin.FOUND) if cratedb_answers(local) else None


def start_cratedb(folder: Path, *, port: int | None = None, keep: bool = False) -> Server | None:
    """Start a server from CRATEDB_HOME or /opt/crate, or in Docker: loopback only, user `crate` without a password.

    Args:
        folder: for its configuration, data and logs; existing data is used again.
        port: its port; None for 4200, or a free one if that is taken.
        keep: whether it must outlive this program.

    Returns:
        the server, or None if there is nothing to start.

    Raises:
        UsageError: if CRATEDB_HOME has no server, or if it does not start; with the end of its log.
    """
    home = crate_home()
    if home is not None:
        return crate_launch(home, folder, port or free_port(PORT)).start()
    return _start_container(keep=keep) if docker_answers() else None


def crate_home() -> Path | None:
    """The folder of an unpacked server: CRATEDB_HOME, else /opt/crate; None if there is none.

    Raises:
        UsageError: if CRATEDB_HOME has no server.
    """
    given = os.environ.get("CRATEDB_HOME")
    home = Path(given or HOME)
    if (home / "bin" / "crate").is_file():
        return home
    if given:
        raise UsageError(f"CRATEDB_HOME={given} has no bin/crate; unpack a CrateDB server there, or unset it.")
    return None


def crate_launch(home: Path, folder: Path, port: int) -> Launch:
    """Configure a single node in the folder; how to start it from the server unpacked at `home`."""
    configure_node(home, folder, {"http.port": port, "discovery.type": "single-node"})
    return node_launch(NAME, home, folder, heap=HEAP, ready=_is_ready)


def configure_node(home: Path, folder: Path, settings: JsonObject) -> None:
    """Write a node's configuration, for loopback only: the distribution's may be that of a production node.

    Args:
        home: the folder of the unpacked server.
        folder: for the node's configuration, data and logs; existing data stays.
        settings: more of `crate.yml`, by dotted names; `http.port` is required.
    """
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    defaults: JsonObject = {
        "cluster.name": "indexer-local",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "udc.enabled": False,
        # As in the distribution: from this machine the superuser needs no password, everyone else does.
        "auth.host_based.enabled": True,
        "auth.host_based.config.0.user": "crate",
        "auth.host_based.config.0.address": "_local_",
        "auth.host_based.config.0.method": "trust",
        "auth.host_based.config.99.method": "password",
    }
    (folder / "config" / "crate.yml").write_text(yaml.safe_dump({**defaults, **settings}), "utf-8")
    shutil.copyfile(home / "config" / "log4j2.properties", folder / "config" / "log4j2.properties")


def node_launch(name: str, home: Path, folder: Path, *, heap: str, ready: Callable[[str], bool]) -> Launch:
    """How to start a configured node, for the first time or again after it was stopped or killed.

    Args:
        name: its name in messages.
        home: the folder of the unpacked server.
        folder: the folder that `configure_node` filled.
        heap: the size of its Java heap, as CRATE_HEAP_SIZE takes it.
        ready: whether the node at this URL can be used.
    """
    configuration = yaml.safe_load((folder / "config" / "crate.yml").read_text("utf-8"))
    url = f"crate://127.0.0.1:{configuration['http.port']}"
    return Launch(
        name=name,
        url=url,
        origin=ServerOrigin.HOME,
        command=[home / "bin" / "crate", f"-Cpath.conf={folder / 'config'}"],
        environment={
            "CRATE_HEAP_SIZE": heap,
            "CRATE_HEAP_DUMP_PATH": str(folder),
            "CRATE_DISABLE_GC_LOGGING": "1",
            "CRATE_JAVA_OPTS": f"-Djava.io.tmpdir={folder / 'tmp'} -XX:-UsePerfData",
        },
        folder=folder,
        ready=lambda: ready(url),
        remedy=REMEDY,
    )


def _start_container(*, keep: bool) -> Server:
    container, address = IMAGE.run(keep=keep)
    server = Server(NAME, f"crate://{address}", ServerOrigin.DOCKER, container=container)
    return wait_until_ready(server, lambda: _is_ready(server.url), REMEDY)


def query_node(url: str, sql: str) -> list[Row] | None:
    """The rows that the node at `crate://host:port` returns; None if it does not answer or returns an error."""
    response = http_get(f"http://{urlsplit(url).netloc}/_sql", {"stmt": sql})
    if response is None or response.status != HTTPStatus.OK:
        return None
    return cast("list[Row]", json_object(response)["rows"])


def cratedb_answers(url: str) -> bool:
    """Whether a CrateDB answers at this URL; Elasticsearch's greeting has no `ok`."""
    response = http_get(f"http://{urlsplit(url).netloc}")
    return response is not None and response.status == HTTPStatus.OK and json_object(response).get("ok") is True


def _is_ready(url: str) -> bool:
    """Whether it answers SQL and has all its primary shards; after a restart they take a moment."""
    return query_node(url, READY) == [[1]]
