"""Servers and a cache folder of the tests' own, for commands that use names such as `logs`, which a user may have."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.sandbox.cratedb import find_cratedb, start_cratedb
from indexer.sandbox.elasticsearch import start_elasticsearch
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server
from tests.support.commands import run

__all__ = ["Playground", "playground_beside"]


@dataclass(frozen=True)
class Playground:
    """Servers that only the tests use.

    Attributes:
        elasticsearch: the URL of Elasticsearch.
        cratedb: the URL of CrateDB; None if this machine has none.
        cache: the cache folder.
    """

    elasticsearch: str
    cratedb: str | None
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that make commands use these servers and no others."""
        source = {"CRATEDB_URL": self.cratedb} if self.cratedb else {}
        return {"ELASTICSEARCH_URL": self.elasticsearch, **source, "INDEXER_CACHE": str(self.cache)}


@contextmanager
def playground_beside(elasticsearch: Server, cratedb: Server | None) -> Iterator[Playground]:
    """Use the tests' servers if the tests started them; else start others."""
    with tempfile.TemporaryDirectory(prefix="playground-") as folder, ExitStack() as stack:
        target, source = elasticsearch, cratedb
        if not _is_started_here(elasticsearch):
            target = start_elasticsearch(_subfolder(folder), port=free_port())
            stack.callback(target.stop)
        if not _is_started_here(cratedb):
            source = start_cratedb(_subfolder(folder), port=free_port())
            if source is not None:
                stack.callback(source.stop)
            elif find_cratedb():
                pytest.skip("The only CrateDB of this machine is not the tests' own, and the demo would use it.")
        cache = _subfolder(folder)
        yield Playground(target.url, source.url if source else None, cache)
        assert run("indexer", "down", INDEXER_CACHE=str(cache)).out == "No local servers are running.\n"


def _is_started_here(server: Server | None) -> bool:
    return server is not None and (server.process is not None or server.container is not None)


def _subfolder(folder: str) -> Path:
    """A new folder that the servers' account can enter, also if root runs the tests."""
    Path(folder).chmod(0o755)
    return Path(tempfile.mkdtemp(dir=folder))
