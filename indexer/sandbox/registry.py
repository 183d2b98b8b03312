"""The registry of servers that `indexer up` started: `indexer down` stops those and no others."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from indexer.errors import UsageError
from indexer.sandbox import cache
from indexer.sandbox.cratedb import NAME as CRATEDB
from indexer.sandbox.cratedb import crate_home, cratedb_answers, find_cratedb, start_cratedb
from indexer.sandbox.cratedb_cluster import cluster_url, configure_cluster, node_launches, start_together
from indexer.sandbox.elasticsearch import NAME as ELASTICSEARCH
from indexer.sandbox.elasticsearch import elasticsearch_answers, find_elasticsearch, start_elasticsearch
from indexer.sandbox.process import wait_until
from indexer.sandbox.server import Server, ServerOrigin

__all__ = ["RunningServers", "remove_servers", "start_servers", "stop_servers"]

_ENTRIES = TypeAdapter(dict[str, Server])

_ANSWER_TIMEOUT: Final = 30.0
"""Seconds that a running server may take to answer before it is restarted."""

ServerT = TypeVar("ServerT", bound=Server | None)


@dataclass(frozen=True, slots=True)
class RunningServers:
    """The two servers to work with.

    Attributes:
        elasticsearch: the target's server.
        cratedb: the source's server; None if there is none (`indexer.sandbox.cratedb.HOW_TO_GET` is the remedy).
        nodes: CrateDB's nodes, each with its process, if it runs as a local cluster.
    """

    elasticsearch: Server
    cratedb: Server | None
    nodes: tuple[Server, ...] = ()


def start_servers(
    source: str | None = None, target: str | None = None, *, own: bool = False, crate_nodes: int | None = None
) -> RunningServers:
    """Find both servers, and start what is missing; a second call finds what the first one started.

    Args:
        source: the URL of the CrateDB to use, before CRATEDB_URL.
        target: the URL of the Elasticsearch to use, before ELASTICSEARCH_URL.
        own: use only servers that are started here, even if others are given or running.
        crate_nodes: run CrateDB as a cluster of this many nodes, even if another CrateDB is there; its dead nodes are
            started again.

    Raises:
        UsageError: if a server does not start; with the end of its log.
    """
    folder = cache.server_cache()
    with cache.file_lock(folder, cache.UP_LOCK):
        elasticsearch = _elasticsearch(folder, target, own=own)
        if crate_nodes is None:
            return RunningServers(elasticsearch, _cratedb(folder, source, own=own))
        nodes = _cluster(folder, crate_nodes)
        return RunningServers(
            elasticsearch, Server(CRATEDB, cluster_url(node.url for node in nodes), ServerOrigin.HOME), nodes
        )


def stop_servers() -> tuple[Server, ...]:
    """Stop the servers that `start_servers` started, and return them; their data is kept for the next start.

    Raises:
        UsageError: if a server belongs to another user.
    """
    folder = cache.server_cache()
    with cache.file_lock(folder, cache.UP_LOCK):
        entries = _read(folder)
        for server in entries.values():
            server.stop()
        (folder / cache.REGISTRY).unlink(missing_ok=True)
        return tuple(entries.values())


def remove_servers() -> tuple[Server, ...]:
    """Stop what `start_servers` started, and remove everything that this product created in the cache folder.

    Raises:
        UsageError: if a server belongs to another user.
    """
    stopped = stop_servers()
    cache.clear_cache()
    return stopped


def _elasticsearch(folder: Path, url: str | None, *, own: bool) -> Server:
    given = None if own else url or os.environ.get("ELASTICSEARCH_URL")
    registered = None if given else _registered(folder, ELASTICSEARCH, elasticsearch_answers)
    found = registered or (None if own else find_elasticsearch(given))
    return found or _register(folder, start_elasticsearch(_node_folder(folder, ELASTICSEARCH), keep=True))


def _cratedb(folder: Path, url: str | None, *, own: bool) -> Server | None:
    given = None if own else url or os.environ.get("CRATEDB_URL")
    registered = None if given else _registered(folder, CRATEDB, cratedb_answers)
    found = registered or (None if own else find_cratedb(given))
    return found or _register(folder, start_cratedb(_node_folder(folder, CRATEDB), keep=True))


def _cluster(folder: Path, count: int) -> tuple[Server, ...]:
    home = crate_home()
    if home is None:
        raise UsageError("There is no CrateDB to start; unpack a server into CRATEDB_HOME or /opt/crate.")
    known = {name: node for name, node in _read(folder).items() if name.startswith(f"{CRATEDB} ")}
    alive = {name: node for name, node in known.items() if node.process and node.process.alive()}
    if alive and len(known) != count:
        raise UsageError(
            f"A CrateDB cluster of {len(known)} nodes is running; stop it with `indexer down`, then run this again."
        )
    nodes_folder = cache.open_folder(_node_folder(folder, f"{CRATEDB}-{count}"))
    if not alive:
        configure_cluster(home, nodes_folder, count)
    launches = node_launches(home, nodes_folder, count)
    started = {node.name: node for node in start_together([node for node in launches if node.name not in alive])}
    nodes = {node.name: started.get(node.name) or alive[node.name] for node in launches}
    _write(folder, {**{name: server for name, server in _read(folder).items() if name not in known}, **nodes})
    return tuple(nodes.values())


def _node_folder(folder: Path, name: str) -> Path:
    return cache.open_folder(folder / cache.SERVERS) / name.lower()


def _registered(folder: Path, name: str, answers: Callable[[str], bool]) -> Server | None:
    """The server that an earlier `start_servers` started, if it runs; if it does not answer, it is stopped."""
    server = _read(folder).get(name)
    if server is None:
        return None
    if (server.process is None or server.process.alive()) and wait_until(lambda: answers(server.url), _ANSWER_TIMEOUT):
        return server
    server.stop()
    return None


def _register(folder: Path, server: ServerT) -> ServerT:
    if server is not None:
        _write(folder, {**_read(folder), server.name: server})
    return server


def _read(folder: Path) -> dict[str, Server]:
    file = folder / cache.REGISTRY
    try:
        return _ENTRIES.validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise UsageError(f"{file} is from another version; stop the servers that it lists, then remove it.") from error


def _write(folder: Path, entries: dict[str, Server]) -> None:
    fresh = folder / f"{cache.REGISTRY}.new"
    fresh.write_bytes(_ENTRIES.dump_json(entries, indent=2))
    fresh.replace(folder / cache.REGISTRY)
