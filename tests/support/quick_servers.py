"""Servers that start with half the CPU time, without the second of Java's two compilers.

That compiler makes a server fast in the long run. A server of a few minutes spends more on it than on its requests:
without it, 24 CPU seconds become 13 for Elasticsearch, and 16 become 9 for CrateDB. It is needed where CrateDB checks
passwords, as it does on every request: without it, hashing is slow.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from indexer.sandbox.cratedb import crate_home, crate_launch, start_cratedb
from indexer.sandbox.elasticsearch import start_elasticsearch
from indexer.sandbox.server import Server

__all__ = ["ONE_COMPILER", "start_quick_cratedb", "start_quick_elasticsearch"]

ONE_COMPILER = "-XX:TieredStopAtLevel=1"
_JAVA = "CRATE_JAVA_OPTS"


def start_quick_elasticsearch(
    folder: Path, *, port: int, version: str | None = None, settings: Mapping[str, str] | None = None
) -> Server:
    """As `start_elasticsearch`; in Docker, without the difference."""
    options = folder / "config" / "jvm.options.d"
    options.mkdir(parents=True, exist_ok=True)
    (options / "quick.options").write_text(ONE_COMPILER)
    return start_elasticsearch(folder, version=version, port=port, settings=settings)


def start_quick_cratedb(folder: Path, *, port: int) -> Server | None:
    """As `start_cratedb`; in Docker, without the difference."""
    home = crate_home()
    if home is None:
        return start_cratedb(folder, port=port)
    launch = crate_launch(home, folder, port)
    java = {_JAVA: f"{launch.environment[_JAVA]} {ONE_COMPILER}"}
    return replace(launch, environment={**launch.environment, **java}).start()
