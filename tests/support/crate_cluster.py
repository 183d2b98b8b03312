"""A CrateDB cluster of three nodes on this machine, whose nodes a test kills and starts again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from indexer.sandbox.cratedb import crate_home, query_node
from indexer.sandbox.cratedb_cluster import (
    cluster_url,
    configure_cluster,
    node_launches,
    start_together,
    wait_until_green,
)
from indexer.sandbox.cratedb_table import Cursor, crate_cursor
from indexer.sandbox.process import Process, wait_until
from indexer.sandbox.server import Launch, Server

__all__ = ["Cluster", "Node", "crate_cluster", "crate_home"]

NODES = 3
PATIENCE = 120.0
"""Seconds for what a cluster does by itself: elect, recover, see that a node is gone."""


@dataclass
class Node:
    """One node: how it is started, and the server while it runs."""

    launch: Launch
    server: Server | None = None

    @property
    def url(self) -> str:
        return self.launch.url

    @property
    def process(self) -> Process | None:
        return self.server.process if self.server else None

    def start(self) -> None:
        """Start it and wait until it sees the other ones."""
        self.server = self.launch.start()

    def kill(self) -> None:
        """SIGKILL: no farewell to the other nodes."""
        assert self.process is not None
        self.process.kill()
        assert not self.process.alive()
        self.server = None


@dataclass
class Cluster:
    """Three nodes of one cluster."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        """All of the nodes, as `--source` takes them."""
        return cluster_url(node.url for node in self.nodes)

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor at the first node, which tests leave alive."""
        with crate_cursor(self.nodes[0].url) as cursor:
            yield cursor

    def wait_for(self, sql: str, expected: list[list[object]]) -> None:
        """Wait until the first node answers a query so."""
        seen: list[object] = []

        def asked() -> bool:
            seen[:] = [query_node(self.nodes[0].url, sql)]
            return bool(seen[0] == expected)

        assert wait_until(asked, PATIENCE), f"{sql} answers {seen}, not {expected}"

    def wait_for_nodes(self, count: int) -> None:
        self.wait_for("SELECT count(*) FROM sys.nodes", [[count]])

    def wait_for_shards(self) -> None:
        """Wait until every shard, replicas too, is started."""
        wait_until_green([node.url for node in self.nodes], PATIENCE)


@contextmanager
def crate_cluster(home: Path, folder: Path) -> Iterator[Cluster]:
    """Start three nodes; whatever becomes of them, none is left."""
    configure_cluster(home, folder, NODES, any_ports=True)
    launches = node_launches(home, folder, NODES)
    cluster = Cluster([Node(launch, server) for launch, server in zip(launches, start_together(launches), strict=True)])
    with ExitStack() as stack:
        for node in cluster.nodes:
            stack.callback(_stop, node)
        yield cluster


def _stop(node: Node) -> None:
    if node.process is not None:
        node.process.stop(grace=5.0)
