"""A CrateDB cluster of three nodes, which a test can kill and start again."""

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
TIMEOUT = 120.0
"""Seconds for the cluster to elect a master, to recover, or to notice that a node is gone."""


@dataclass
class Node:
    """One node: how to start it, and its server while it runs."""

    launch: Launch
    server: Server | None = None

    @property
    def url(self) -> str:
        return self.launch.url

    @property
    def process(self) -> Process | None:
        return self.server.process if self.server else None

    def start(self) -> None:
        """Start it and wait until it sees the other nodes."""
        self.server = self.launch.start()

    def kill(self) -> None:
        """SIGKILL, without a warning to the other nodes."""
        assert self.process is not None
        self.process.kill()
        assert not self.process.alive()
        self.server = None


@dataclass
class Cluster:
    """The cluster."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The URL of all nodes, as `--source` takes it."""
        return cluster_url(node.url for node in self.nodes)

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor at the first node, which tests do not kill."""
        with crate_cursor(self.nodes[0].url) as cursor:
            yield cursor

    def wait_for(self, sql: str, expected: list[list[object]]) -> None:
        """Wait until the first node returns these rows."""
        rows: list[object] = []

        def matches() -> bool:
            rows[:] = [query_node(self.nodes[0].url, sql)]
            return bool(rows[0] == expected)

        assert wait_until(matches, TIMEOUT), f"{sql} returns {rows}, not {expected}"

    def wait_for_nodes(self, count: int) -> None:
        self.wait_for("SELECT count(*) FROM sys.nodes", [[count]])

    def wait_for_shards(self) -> None:
        """Wait until every shard is started, replicas included."""
        wait_until_green([node.url for node in self.nodes], TIMEOUT)


@contextmanager
def crate_cluster(home: Path, folder: Path) -> Iterator[Cluster]:
    """Start three nodes, and stop those that run at the end."""
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
