"""A CrateDB cluster of three nodes on this machine, whose nodes a test kills and starts again."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from indexer.local.crate_table import Cursor, crate_cursor
from indexer.local.http import ask
from indexer.local.process import Process, wait_until
from indexer.local.server import Launch, Origin

__all__ = ["Cluster", "Node", "crate_cluster", "crate_home"]

NODES = 3
HEAP = "512m"
PATIENCE = 120.0
"""Seconds for what a cluster does by itself: elect, recover, see that a node is gone."""


def crate_home() -> Path | None:
    """Where a CrateDB server is unpacked, or None."""
    home = Path(os.environ.get("CRATEDB_HOME") or "/opt/crate")
    return home if (home / "bin" / "crate").is_file() else None


@dataclass
class Node:
    """One node: its folder, its ports, and its process while it runs."""

    home: Path
    folder: Path
    http: int
    transport: int
    psql: int
    process: Process | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def url(self) -> str:
        return f"crate://127.0.0.1:{self.http}"

    def start(self) -> None:
        """Start it and wait until it answers; with two of three there, that is when the cluster has a master."""
        launch = Launch(
            name=f"CrateDB {self.name}",
            url=self.url,
            origin=Origin.HOME,
            command=[self.home / "bin" / "crate", f"-Cpath.conf={self.folder / 'config'}"],
            environment={
                "CRATE_HEAP_SIZE": HEAP,
                "CRATE_HEAP_DUMP_PATH": str(self.folder),
                "CRATE_DISABLE_GC_LOGGING": "1",
                "CRATE_JAVA_OPTS": f"-Djava.io.tmpdir={self.folder / 'tmp'} -XX:-UsePerfData",
            },
            folder=self.folder,
            ready=self.answers,
            remedy="see its log",
        )
        self.process = launch.start().process

    def answers(self) -> bool:
        answer = ask(f"http://127.0.0.1:{self.http}/_sql", {"stmt": "SELECT count(*) FROM sys.nodes"})
        return answer is not None and answer.status == 200

    def kill(self) -> None:
        """SIGKILL: no farewell to the other nodes."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        gone = self.process
        assert wait_until(lambda: not gone.alive(), 10)
        self.process = None


@dataclass
class Cluster:
    """Three nodes of one cluster."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        """All of the nodes, as `--source` takes them."""
        return "crate://" + ",".join(f"127.0.0.1:{node.http}" for node in self.nodes)

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor at the first node, which tests leave alive."""
        with crate_cursor(self.nodes[0].url) as cursor:
            yield cursor

    def wait_for(self, sql: str, expected: list[list[object]]) -> None:
        """Wait until the first node answers a query so."""
        seen: list[object] = []

        def asked() -> bool:
            answer = ask(f"http://127.0.0.1:{self.nodes[0].http}/_sql", {"stmt": sql})
            rows = answer.json().get("rows") if answer is not None and answer.status == 200 else None
            seen[:] = [rows if rows is not None else answer]
            return bool(rows == expected)

        assert wait_until(asked, PATIENCE), f"{sql} answers {seen}, not {expected}"

    def wait_for_nodes(self, count: int) -> None:
        self.wait_for("SELECT count(*) FROM sys.nodes", [[count]])

    def wait_for_shards(self) -> None:
        """Wait until every shard, replicas too, is started."""
        self.wait_for_nodes(NODES)
        self.wait_for("SELECT count(*) FROM sys.shards WHERE routing_state <> 'STARTED'", [[0]])


@contextmanager
def crate_cluster(home: Path, folder: Path) -> Iterator[Cluster]:
    """Start three nodes; whatever becomes of them, none is left."""
    ports = _free_ports(3 * NODES)
    nodes = [Node(home, folder / f"node-{n}", ports[n], ports[NODES + n], ports[2 * NODES + n]) for n in range(NODES)]
    for node in nodes:
        _configure(node, nodes)
    with ExitStack() as stack:
        for node in nodes:
            stack.callback(_stop, node)
        _start_together(nodes)
        cluster = Cluster(nodes)
        cluster.wait_for_nodes(NODES)
        yield cluster


def _start_together(nodes: list[Node]) -> None:
    """A node answers once a second one is there to elect a master with: none can be waited for alone."""
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(Node.start, nodes))


def _stop(node: Node) -> None:
    if node.process is not None:
        node.process.stop(grace=5.0)


def _free_ports(count: int) -> list[int]:
    """Free ports, held open together so that none comes twice."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _configure(node: Node, nodes: list[Node]) -> None:
    for name in ("config", "data", "logs", "tmp"):
        (node.folder / name).mkdir(parents=True, exist_ok=True)
    settings = {
        "cluster.name": f"indexer-test-{nodes[0].transport}",
        "node.name": node.name,
        "path.data": str(node.folder / "data"),
        "path.logs": str(node.folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": node.http,
        "transport.tcp.port": node.transport,
        "psql.port": node.psql,
        "discovery.seed_hosts": [f"127.0.0.1:{other.transport}" for other in nodes],
        "cluster.initial_master_nodes": [other.name for other in nodes],
        "gateway.expected_data_nodes": NODES,
        "gateway.recover_after_data_nodes": NODES - 1,
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "udc.enabled": False,
    }
    (node.folder / "config" / "crate.yml").write_text(yaml.safe_dump(settings), "utf-8")
    shutil.copyfile(node.home / "config" / "log4j2.properties", node.folder / "config" / "log4j2.properties")
