"""The machine, the servers and the versions that figures were measured with: without them a figure says nothing."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from bench.meter.servers import query
from indexer.access import TargetAccess
from indexer.sink.client import connect

__all__ = ["Machine", "ServerInfo", "describe_machine"]

_PACKAGES: Final = (
    *("elasticsearch", "elastic-transport", "crate", "sqlalchemy", "sqlalchemy-cratedb"),
    *("orjson", "urllib3"),
)
_CPU: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A server: its version, the maximum Java heap of one node in bytes, and its number of nodes."""

    version: str
    heap: int
    nodes: int

    def __str__(self) -> str:
        nodes = "one node" if self.nodes == 1 else f"{self.nodes} nodes"
        return f"{self.version}, {nodes}, {self.heap / 2**30:.1f} GiB heap"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where figures were measured.

    Attributes:
        cores: logical processors that this process may use.
        cpu: the processor's name.
        memory: of the machine, in bytes.
        system: the operating system.
        python: the version of Python.
        packages: the versions of the packages that matter.
        commit: of this repository, followed by `+` where files differ from it; None outside of one.
        cratedb: the source; None where it takes no part.
        elasticsearch: the target, likewise.
    """

    cores: int
    cpu: str
    memory: int
    system: str
    python: str
    packages: dict[str, str]
    commit: str | None
    cratedb: ServerInfo | None
    elasticsearch: ServerInfo | None

    def __str__(self) -> str:
        """A list in Markdown."""
        servers = (("CrateDB", self.cratedb), ("Elasticsearch", self.elasticsearch))
        packages = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        return "\n".join(
            [
                f"- {self.cores} cores of {self.cpu}, {self.memory / 2**30:.0f} GiB, {self.system}",
                *(f"- {name} {info}" for name, info in servers if info),
                f"- Python {self.python}; {packages}",
                f"- commit {self.commit or 'unknown'}",
            ]
        )


def describe_machine(source: str | None, target: str | None = None) -> Machine:
    """Describe this machine and the servers at these URLs."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        cpu=_cpu(),
        memory=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        commit=_commit(),
        cratedb=_cratedb(source) if source else None,
        elasticsearch=_elasticsearch(target) if target else None,
    )


def _cpu() -> str:
    if _CPU.exists():
        for line in _CPU.read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


def _commit() -> str | None:
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}+" if changed else commit


def _git(*arguments: str) -> str:
    folder = Path(__file__).parent
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def _cratedb(url: str) -> ServerInfo:
    number, heap, nodes = query(url, "SELECT min(version['number']), min(heap['max']), count(*) FROM sys.nodes")[0]
    return ServerInfo(str(number), heap if isinstance(heap, int) else 0, nodes if isinstance(nodes, int) else 0)


def _elasticsearch(url: str) -> ServerInfo:
    with connect(TargetAccess(url=url)) as cluster:
        nodes = cluster.client.nodes.info(metric="jvm", filter_path="nodes.*.jvm.mem").body["nodes"].values()
    return ServerInfo(cluster.version, min(node["jvm"]["mem"]["heap_max_in_bytes"] for node in nodes), len(nodes))
