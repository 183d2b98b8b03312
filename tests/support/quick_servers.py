"""Servers that are started with half the work, for tests.

The second of Java's two compilers makes a server fast in the long run. One that lives for some minutes spends more on
it than on all that it is asked: 24 CPU seconds become 13 for Elasticsearch, 16 become 9 for CrateDB. It is no good
where a CrateDB checks a password, as it does with every request: only that compiler makes hashes fast.
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
    """As `start_elasticsearch`; in Docker it is started as always."""
    options = folder / "config" / "jvm.options.d"
    options.mkdir(parents=True, exist_ok=True)
    (options / "quick.options").write_text(ONE_COMPILER)
    return start_elasticsearch(folder, version=version, port=port, settings=settings)


def start_quick_cratedb(folder: Path, *, port: int) -> Server | None:
    """As `start_cratedb`; in Docker it is started as always."""
    home = crate_home()
    if home is None:
        return start_cratedb(folder, port=port)
    usual = crate_launch(home, folder, port)
    java = {_JAVA: f"{usual.environment[_JAVA]} {ONE_COMPILER}"}
    return replace(usual, environment={**usual.environment, **java}).start()
