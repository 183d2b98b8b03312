"""A real CrateDB to work with: the one that is there, else one started here; no registry has the server to fetch."""

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
from indexer.sandbox.process import free_port, wait_until
from indexer.sandbox.server import START_TIMEOUT, Launch, Origin, Server, http_get

__all__ = [
    "HOW_TO_GET",
    "NAME",
    "READY",
    "REMEDY",
    "configure",
    "crate_home",
    "crate_launch",
    "cratedb_answers",
    "find_cratedb",
    "find_or_start_cratedb",
    "node_launch",
    "query_node",
    "start_cratedb",
]

HOME: Final = Path("/opt/crate")
REMEDY: Final = "mend what its log tells, or set CRATEDB_URL to a server of yours"


def crate_home() -> Path | None:
    """Where a server is unpacked: CRATEDB_HOME, else /opt/crate; None where there is none.

    Raises:
        UsageError: where CRATEDB_HOME has no server.
    """
    given = os.environ.get("CRATEDB_HOME")
    home = Path(given or HOME)
    if (home / "bin" / "crate").is_file():
        return home
    if given:
        raise UsageError(f"CRATEDB_HOME is {given}, which has no bin/crate: unpack a CrateDB server there.")
    return None


def configure(home: Path, folder: Path, settings: JsonObject) -> None:
    """Write a configuration of our own, for loopback only: the distribution's may be a production node's.

    Args:
        home: where the server is unpacked.
        folder: where the node keeps its configuration, data and logs; data that is there stays.
        settings: what `crate.yml` says besides, by dotted names; `http.port` must be among them.
    """
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    every: JsonObject = {
        "cluster.name": "indexer-local",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "udc.enabled": False,
        # As the distribution has it: the superuser without a password from here, everybody else with one.
        "auth.host_based.enabled": True,
        "auth.host_based.config.0.user": "crate",
        "auth.host_based.config.0.address": "_local_",
        "auth.host_based.config.0.method": "trust",
        "auth.host_based.config.99.method": "password",
    }
    (folder / "config" / "crate.yml").write_text(yaml.safe_dump({**every, **settings}), "utf-8")
    shutil.copyfile(home / "config" / "log4j2.properties", folder / "config" / "log4j2.properties")


def node_launch(name: str, home: Path, folder: Path, *, heap: str, ready: Callable[[str], bool]) -> Launch:
    """How to start a node that is configured: the first time, and again after it was stopped or killed.

    Args:
        name: what it is called in messages.
        home: where the server is unpacked.
        folder: the folder that `configure` filled.
        heap: the size of its heap, as CRATE_HEAP_SIZE takes it.
        ready: whether the node at this URL can be used.
    """
    written = yaml.safe_load((folder / "config" / "crate.yml").read_text("utf-8"))
    url = f"crate://127.0.0.1:{written['http.port']}"
    return Launch(
        name=name,
        url=url,
        origin=Origin.HOME,
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


def query_node(url: str, sql: str) -> list[Row] | None:
    """The rows that the node at `crate://host:port` answers; None where it does not answer, or with an error."""
    answer = http_get(f"http://{urlsplit(url).netloc}/_sql", {"stmt": sql})
    if answer is None or answer.status != HTTPStatus.OK:
        return None
    return cast("list[Row]", answer.json()["rows"])


NAME: Final = "CrateDB"
VERSION: Final = "6.4.3"
PORT: Final = 4200
HEAP: Final = "2g"
HOW_TO_GET: Final = (
    "There is no CrateDB: set CRATEDB_URL to a server, unpack one into CRATEDB_HOME or /opt/crate, or start Docker."
)
READY: Final = (
    "SELECT count(*) FROM sys.cluster_health"
    " WHERE missing_shards = 0 AND (health = 'GREEN' OR underreplicated_shards > 0)"
)
"""A query that answers 1 where every table is known and all of their primary shards are there.

Until a node knows its tables, `sys.health` has no row, so none that is red, and the cluster is yellow though no shard
of it is wanting (seen in 6.4.3).
"""
IMAGE: Final = Image(
    name=f"crate:{VERSION}",
    port=PORT,
    environment={"CRATE_HEAP_SIZE": HEAP},
    command=("-Cdiscovery.type=single-node",),
)


def find_or_start_cratedb(folder: Path, url: str | None = None, *, keep: bool = False) -> Server | None:
    """The first there is of: the URL given, CRATEDB_URL, localhost:4200, CRATEDB_HOME, /opt/crate, Docker.

    Args:
        folder: where a server started here keeps its configuration, data and logs.
        url: a server to use whatever else is there.
        keep: whether a server started here must outlive this program.

    Returns:
        the server, or None where there is none; `HOW_TO_GET` tells the user how to get one.

    Raises:
        UsageError: where one had to be started and could not be.
    """
    return find_cratedb(url) or start_cratedb(folder, keep=keep)


def find_cratedb(url: str | None = None, *, port: int = PORT) -> Server | None:
    """The server given by URL or CRATEDB_URL, or one that answers on the local port."""
    given = url or os.environ.get("CRATEDB_URL")
    if given:
        return Server(NAME, given, Origin.GIVEN)
    local = f"crate://localhost:{port}"
    return Server(NAME, local, Origin.FOUND) if cratedb_answers(local) else None


def cratedb_answers(url: str) -> bool:
    """Whether what answers there introduces itself as CrateDB does (Elasticsearch has no `ok`)."""
    answer = http_get(f"http://{urlsplit(url).netloc}")
    return answer is not None and answer.status == HTTPStatus.OK and answer.json().get("ok") is True


def start_cratedb(folder: Path, *, port: int | None = None, keep: bool = False) -> Server | None:
    """Start a server from CRATEDB_HOME or /opt/crate, or in Docker: loopback only, user `crate` without a password.

    Args:
        folder: where it keeps its configuration, data and logs; what is there is used again.
        port: where it answers; None for 4200, or a free port where that is taken.
        keep: whether it must outlive this program.

    Returns:
        the server, or None where there is nothing to start.

    Raises:
        UsageError: where CRATEDB_HOME has no server, or where it did not start; with the end of its log.
    """
    home = crate_home()
    if home is not None:
        return crate_launch(home, folder, port or free_port(PORT)).start()
    return _docker(keep=keep) if docker_answers() else None


def crate_launch(home: Path, folder: Path, port: int) -> Launch:
    """How a server by itself is started: unpacked at `home`, keeping what it has in the folder, which is configured."""
    configure(home, folder, {"http.port": port, "discovery.type": "single-node"})
    return node_launch(NAME, home, folder, heap=HEAP, ready=_is_ready)


def _docker(*, keep: bool) -> Server:
    container, address = IMAGE.run(keep=keep)
    server = Server(NAME, f"crate://{address}", Origin.DOCKER, container=container)
    if not wait_until(lambda: _is_ready(server.url), START_TIMEOUT):
        server.stop()
        raise UsageError(f"{NAME} in Docker was not ready within {START_TIMEOUT:.0f} s: {REMEDY}.")
    return server


def _is_ready(url: str) -> bool:
    """Whether it answers SQL and has all its primary shards; after a restart they take a moment."""
    return query_node(url, READY) == [[1]]
