"""A CrateDB cluster of several nodes on this machine, each of which can be killed and started again."""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Final

from indexer.errors import UsageError
from indexer.sandbox.cratedb import configure_node, node_launch, query_node
from indexer.sandbox.process import free_ports, wait_until
from indexer.sandbox.server import Launch, Server

__all__ = ["cluster_url", "configure_cluster", "is_green", "node_launches", "start_together", "wait_until_green"]

HEAP: Final = "768m"
"""Of each node: three of them and an Elasticsearch fit into 4 GiB."""

FIRST_PORTS: Final = (4200, 4300, 5432)
"""HTTP, transport and PostgreSQL ports of the first node; the other nodes take the next ones."""

GREEN_TIMEOUT: Final = 180.0
"""Seconds for a cluster to copy what a node missed; it first waits a minute for a node that left."""


def configure_cluster(home: Path, folder: Path, count: int, *, any_ports: bool = False) -> None:
    """Configure the nodes of a stopped cluster, each in a folder of its own.

    A majority elects the master. Shards are not reallocated before all nodes but one are there, so that after a
    restart they are used where they are.

    Args:
        home: the folder of the unpacked server.
        folder: for the nodes' folders; existing data stays.
        count: the number of nodes.
        any_ports: take any free ports, because another server may need the usual ones.
    """
    preferred = [None if any_ports else first + number for first in FIRST_PORTS for number in range(count)]
    ports = free_ports(preferred)
    transport = ports[count : 2 * count]
    for number, node in enumerate(_node_folders(folder, count)):
        configure_node(
            home,
            node,
            {
                "node.name": node.name,
                "http.port": ports[number],
                "transport.tcp.port": transport[number],
                "psql.port": ports[2 * count + number],
                "discovery.seed_hosts": [f"127.0.0.1:{port}" for port in transport],
                "cluster.initial_master_nodes": [other.name for other in _node_folders(folder, count)],
                "gateway.expected_data_nodes": count,
                "gateway.recover_after_data_nodes": count - 1,
            },
        )


def node_launches(home: Path, folder: Path, count: int) -> tuple[Launch, ...]:
    """How to start each node of a configured cluster; a node is ready once it sees all of them."""

    def sees_all(url: str) -> bool:
        return query_node(url, "SELECT count(*) FROM sys.nodes") == [[count]]

    return tuple(
        node_launch(f"CrateDB {node.name}", home, node, heap=HEAP, ready=sees_all)
        for node in _node_folders(folder, count)
    )


def start_together(launches: Collection[Launch]) -> tuple[Server, ...]:
    """Start nodes concurrently: none answers until enough of them elect a master. If one fails, all are stopped.

    Raises:
        UsageError: if a node does not start; with the end of its log.
    """
    cancelled = Event()
    with ExitStack() as undo:
        with ThreadPoolExecutor(len(launches) or 1) as pool:
            starts = [pool.submit(launch.start, cancelled=cancelled.is_set) for launch in launches]
            undo.callback(_stop_started, starts)
            try:
                settled, _ = wait(starts, return_when=FIRST_EXCEPTION)
            finally:
                cancelled.set()
        for start in settled:
            start.result()  # raises the first failure, which cancelled the others
        undo.pop_all()
    return tuple(start.result() for start in starts)


def cluster_url(urls: Iterable[str]) -> str:
    """The nodes' URLs as a single one, as `--source` takes it."""
    return "crate://" + ",".join(url.removeprefix("crate://") for url in urls)


def is_green(url: str, count: int) -> bool:
    """Whether this node's cluster has `count` nodes, and every copy of every shard is started."""
    nodes = query_node(url, "SELECT count(*) FROM sys.nodes")
    not_started = query_node(url, "SELECT count(*) FROM sys.shards WHERE routing_state <> 'STARTED'")
    health = query_node(url, "SELECT health FROM sys.cluster_health")
    return (nodes, not_started, health) == ([[count]], [[0]], [["GREEN"]])


def wait_until_green(urls: Sequence[str], timeout: float = GREEN_TIMEOUT) -> None:
    """Wait until all nodes are there and every copy of every shard is started.

    Raises:
        UsageError: if that takes more than `timeout` seconds.
    """
    if not wait_until(lambda: is_green(urls[0], len(urls)), timeout):
        raise UsageError(f"{cluster_url(urls)} is not green after {timeout:.0f} s; see sys.allocations and its logs.")


def _node_folders(folder: Path, count: int) -> list[Path]:
    return [folder / f"node-{number}" for number in range(1, count + 1)]


def _stop_started(starts: Iterable[Future[Server]]) -> None:
    for start in starts:
        if start.exception() is None:
            start.result().stop()
