"""A CrateDB cluster of several nodes on this machine, whose nodes can be killed and started again one by one."""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Final

from indexer.errors import UsageError
from indexer.sandbox.cratedb import configure, node_launch, query_node
from indexer.sandbox.process import free_ports, wait_until
from indexer.sandbox.server import Launch, Server

__all__ = ["cluster_url", "configure_cluster", "is_green", "node_launches", "start_together", "wait_until_green"]

HEAP: Final = "768m"
"""Of each node: three of them and an Elasticsearch fit into 4 GiB."""

PORTS: Final = (4200, 4300, 5432)
"""HTTP, transport, PostgreSQL: the first node's where they are free, then those that follow."""

PATIENCE: Final = 180.0
"""Seconds for a cluster to copy what a node missed; a node that left is waited for a minute before that."""


def configure_cluster(home: Path, folder: Path, count: int, *, any_ports: bool = False) -> None:
    """Configure the nodes of a cluster that does not run, each in a folder of its own.

    A majority elects the master, and no shard is given a new place before all but one node are there: after a restart,
    shards are used where they are.

    Args:
        home: where the server is unpacked.
        folder: where the nodes' folders are; data that is there stays.
        count: how many nodes.
        any_ports: take any free ports, where another server may want the usual ones.
    """
    wanted = [None if any_ports else port + number for port in PORTS for number in range(count)]
    ports = free_ports(wanted)
    transport = ports[count : 2 * count]
    for number, node in enumerate(_folders(folder, count)):
        configure(
            home,
            node,
            {
                "node.name": node.name,
                "http.port": ports[number],
                "transport.tcp.port": transport[number],
                "psql.port": ports[2 * count + number],
                "discovery.seed_hosts": [f"127.0.0.1:{port}" for port in transport],
                "cluster.initial_master_nodes": [other.name for other in _folders(folder, count)],
                "gateway.expected_data_nodes": count,
                "gateway.recover_after_data_nodes": count - 1,
            },
        )


def node_launches(home: Path, folder: Path, count: int) -> tuple[Launch, ...]:
    """How to start each node of a configured cluster; a node is ready when it sees all of them."""

    def sees_all(url: str) -> bool:
        return query_node(url, "SELECT count(*) FROM sys.nodes") == [[count]]

    return tuple(
        node_launch(f"CrateDB {node.name}", home, node, heap=HEAP, ready=sees_all) for node in _folders(folder, count)
    )


def start_together(launches: Collection[Launch]) -> tuple[Server, ...]:
    """Start nodes at once: none answers before there are enough to elect a master. If one fails, none is left.

    Raises:
        UsageError: where a node did not start; with the end of its log.
    """
    given_up = Event()
    with ExitStack() as undo:
        with ThreadPoolExecutor(len(launches) or 1) as pool:
            starting = [pool.submit(launch.start, given_up=given_up.is_set) for launch in launches]
            undo.callback(_stop, starting)
            try:
                ended, _ = wait(starting, return_when=FIRST_EXCEPTION)
            finally:
                given_up.set()
        for one in ended:
            one.result()  # what failed first: the others gave up because of it
        undo.pop_all()
    return tuple(one.result() for one in starting)


def cluster_url(urls: Iterable[str]) -> str:
    """The URLs of nodes as one, as `--source` takes it."""
    return "crate://" + ",".join(url.removeprefix("crate://") for url in urls)


def is_green(url: str, count: int) -> bool:
    """Whether the cluster of this node has so many nodes, and every copy of every shard in its place."""
    nodes = query_node(url, "SELECT count(*) FROM sys.nodes")
    away = query_node(url, "SELECT count(*) FROM sys.shards WHERE routing_state <> 'STARTED'")
    health = query_node(url, "SELECT health FROM sys.cluster_health")
    return (nodes, away, health) == ([[count]], [[0]], [["GREEN"]])


def wait_until_green(urls: Sequence[str], patience: float = PATIENCE) -> None:
    """Wait until all nodes are there and every copy of every shard is in its place.

    Raises:
        UsageError: where that did not come to be within `patience` seconds.
    """
    if not wait_until(lambda: is_green(urls[0], len(urls)), patience):
        raise UsageError(f"{cluster_url(urls)} is not green after {patience:.0f} s: see sys.allocations and its logs.")


def _folders(folder: Path, count: int) -> list[Path]:
    return [folder / f"node-{number}" for number in range(1, count + 1)]


def _stop(starting: Iterable[Future[Server]]) -> None:
    for one in starting:
        if one.exception() is None:
            one.result().stop()
