"""The machine, the servers and the versions that figures were measured with: without them a figure says nothing."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypedDict

import psutil

from bench.database import query
from indexer.settings import TargetAccess
from indexer.sink.client import connect

__all__ = ["Machine", "ServerFacts", "look"]

_PACKAGES: Final = (
    "elasticsearch",
    "elastic-transport",
    "crate",
    "sqlalchemy",
    "sqlalchemy-cratedb",
    "orjson",
    "urllib3",
)
_CPU: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server.

    Attributes:
        version: of the server.
        heap: the Java heap it may use at most, in bytes, of one node.
        nodes: how many nodes.
    """

    version: str
    heap: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured.

    Attributes:
        cores: logical processors that this process may use.
        cpu: the processor's name.
        memory: of the machine, in bytes.
        system: the operating system.
        python: the version of Python.
        packages: the versions of the packages that matter.
        commit: of this repository, `+` behind it where files differ from it; None outside of one.
        cratedb: the source's server.
        elasticsearch: the target's; None where it takes no part.
    """

    cores: int
    cpu: str
    memory: int
    system: str
    python: str
    packages: dict[str, str]
    commit: str | None
    cratedb: ServerFacts
    elasticsearch: ServerFacts | None


def look(source: str, target: str | None = None) -> Machine:
    """Describe this machine and the servers at these URLs."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        cpu=_cpu(),
        memory=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        commit=_commit(),
        cratedb=_cratedb(source),
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


def _cratedb(url: str) -> ServerFacts:
    number, heap, nodes = query(url, "SELECT min(version['number']), min(heap['max']), count(*) FROM sys.nodes")[0]
    return ServerFacts(str(number), heap if isinstance(heap, int) else 0, nodes if isinstance(nodes, int) else 0)


class _Memory(TypedDict):
    heap_max_in_bytes: int


class _Jvm(TypedDict):
    mem: _Memory


class _Node(TypedDict):
    version: str
    jvm: _Jvm


def _elasticsearch(url: str) -> ServerFacts:
    with connect(TargetAccess(url=url)) as cluster:
        answer: dict[str, dict[str, _Node]] = cluster.client.nodes.info(
            metric="jvm", filter_path="nodes.*.version,nodes.*.jvm.mem"
        ).body
    nodes = list(answer["nodes"].values())
    return ServerFacts(cluster.version, min(node["jvm"]["mem"]["heap_max_in_bytes"] for node in nodes), len(nodes))
