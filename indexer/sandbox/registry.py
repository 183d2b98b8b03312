"""What `indexer up` started, noted in the cache folder, so that `indexer down` stops that and nothing else."""

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
from indexer.sandbox.server import Origin, Server

__all__ = ["RunningServers", "remove_servers", "start_servers", "stop_servers"]

_ENTRIES = TypeAdapter(dict[str, Server])

_BUSY: Final = 30.0
"""Seconds that a server which still runs may take to answer."""

Found = TypeVar("Found", bound=Server | None)


@dataclass(frozen=True, slots=True)
class RunningServers:
    """The two servers to work with.

    Attributes:
        elasticsearch: the target's server.
        cratedb: the source's, or None where there is none: `HOW_TO_GET` of `indexer.sandbox.cratedb` says how to get one.
        nodes: CrateDB's nodes, each with its process, where `start_servers` started a cluster of them; else none.
    """

    elasticsearch: Server
    cratedb: Server | None
    nodes: tuple[Server, ...] = ()


def start_servers(
    source: str | None = None, target: str | None = None, *, own: bool = False, crate_nodes: int | None = None
) -> RunningServers:
    """Find both servers, and start what is missing; a second call finds what the first one started.

    Args:
        source: a CrateDB to use whatever else is there, as is CRATEDB_URL.
        target: an Elasticsearch to use whatever else is there, as is ELASTICSEARCH_URL.
        own: use none but servers started here, even where others are given or answer.
        crate_nodes: start CrateDB as a cluster of so many nodes, whatever other CrateDB is there; nodes of it that
            died are started again.

    Raises:
        UsageError: where a server did not start; with the end of its log.
    """
    folder = cache.cache_folder()
    with cache.file_lock(folder, cache.UP_LOCK):
        elasticsearch = _elasticsearch(folder, target, own=own)
        if crate_nodes is None:
            return RunningServers(elasticsearch, _cratedb(folder, source, own=own))
        nodes = _cluster(folder, crate_nodes)
        return RunningServers(
            elasticsearch, Server(CRATEDB, cluster_url(node.url for node in nodes), Origin.HOME), nodes
        )


def stop_servers() -> tuple[Server, ...]:
    """Stop the servers that `start_servers` started, and return them; their data stays for the next `start_servers`.

    Raises:
        UsageError: where a server belongs to another user.
    """
    folder = cache.cache_folder()
    with cache.file_lock(folder, cache.UP_LOCK):
        entries = _read(folder)
        for server in entries.values():
            server.stop()
        (folder / cache.REGISTRY).unlink(missing_ok=True)
        return tuple(entries.values())


def remove_servers() -> tuple[Server, ...]:
    """Stop what `start_servers` started, and remove everything that this product put into the cache folder.

    Raises:
        UsageError: where a server belongs to another user.
    """
    stopped = stop_servers()
    cache.clear_cache()
    return stopped


def _elasticsearch(folder: Path, url: str | None, *, own: bool) -> Server:
    given = None if own else url or os.environ.get("ELASTICSEARCH_URL")
    kept = None if given else _reuse(folder, ELASTICSEARCH, elasticsearch_answers)
    found = kept or (None if own else find_elasticsearch(given))
    return found or _remember(folder, start_elasticsearch(_node(folder, ELASTICSEARCH), keep=True))


def _cratedb(folder: Path, url: str | None, *, own: bool) -> Server | None:
    given = None if own else url or os.environ.get("CRATEDB_URL")
    kept = None if given else _reuse(folder, CRATEDB, cratedb_answers)
    found = kept or (None if own else find_cratedb(given))
    return found or _remember(folder, start_cratedb(_node(folder, CRATEDB), keep=True))


def _cluster(folder: Path, count: int) -> tuple[Server, ...]:
    home = crate_home()
    if home is None:
        raise UsageError("There is no CrateDB to start: unpack a server into CRATEDB_HOME or /opt/crate.")
    known = {name: node for name, node in _read(folder).items() if name.startswith(f"{CRATEDB} ")}
    alive = {name: node for name, node in known.items() if node.process and node.process.alive()}
    if alive and len(known) != count:
        raise UsageError(
            f"A CrateDB cluster of {len(known)} nodes runs: stop it with `indexer down`, then run this again."
        )
    place = cache.open_folder(_node(folder, f"{CRATEDB}-{count}"))
    if not alive:
        configure_cluster(home, place, count)
    launches = node_launches(home, place, count)
    started = {node.name: node for node in start_together([one for one in launches if one.name not in alive])}
    nodes = {one.name: started.get(one.name) or alive[one.name] for one in launches}
    _write(folder, {**{name: server for name, server in _read(folder).items() if name not in known}, **nodes})
    return tuple(nodes.values())


def _node(folder: Path, name: str) -> Path:
    return cache.open_folder(folder / cache.SERVERS) / name.lower()


def _reuse(folder: Path, name: str, answers: Callable[[str], bool]) -> Server | None:
    """The server that an earlier `start_servers` started, where it still runs; one that no longer answers is stopped."""
    server = _read(folder).get(name)
    if server is None:
        return None
    if (server.process is None or server.process.alive()) and wait_until(lambda: answers(server.url), _BUSY):
        return server
    server.stop()
    return None


def _remember(folder: Path, server: Found) -> Found:
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
        raise UsageError(f"{file} does not name servers as this version does: remove it.") from error


def _write(folder: Path, entries: dict[str, Server]) -> None:
    fresh = folder / f"{cache.REGISTRY}.new"
    fresh.write_bytes(_ENTRIES.dump_json(entries, indent=2))
    fresh.replace(folder / cache.REGISTRY)
