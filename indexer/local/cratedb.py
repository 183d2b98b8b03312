"""A real CrateDB to work with: the one that is there, else one started here; no registry has the server to fetch."""

import os
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from indexer.errors import Refused
from indexer.local.container import Image, docker_answers
from indexer.local.crate_node import REMEDY, configure, crate_home, node_launch, query
from indexer.local.http import ask
from indexer.local.process import free_port, wait_until
from indexer.local.server import START_TIMEOUT, Launch, Origin, Server

__all__ = ["HOW_TO_GET", "NAME", "READY", "crate_launch", "cratedb", "cratedb_answers", "find_cratedb", "start_cratedb"]

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


def cratedb(folder: Path, url: str | None = None, *, keep: bool = False) -> Server | None:
    """The first there is of: the URL given, CRATEDB_URL, localhost:4200, CRATEDB_HOME, /opt/crate, Docker.

    Args:
        folder: where a server started here keeps its configuration, data and logs.
        url: a server to use whatever else is there.
        keep: whether a server started here must outlive this program.

    Returns:
        the server, or None where there is none; `HOW_TO_GET` tells the user how to get one.

    Raises:
        Refused: where one had to be started and could not be.
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
    answer = ask(f"http://{urlsplit(url).netloc}")
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
        Refused: where CRATEDB_HOME has no server, or where it did not start; with the end of its log.
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
        raise Refused(f"{NAME} in Docker was not ready within {START_TIMEOUT:.0f} s: {REMEDY}.")
    return server


def _is_ready(url: str) -> bool:
    """Whether it answers SQL and has all its primary shards; after a restart they take a moment."""
    return query(url, READY) == [[1]]
