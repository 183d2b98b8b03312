"""Servers and a cache folder that the tests have to themselves, for what works on names that a user has too."""

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
    """Where commands find these servers and no others.

    Attributes:
        elasticsearch: the URL of Elasticsearch.
        cratedb: that of CrateDB; None where there is none on this machine.
        cache: the cache folder.
    """

    elasticsearch: str
    cratedb: str | None
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """What to run commands with."""
        source = {"CRATEDB_URL": self.cratedb} if self.cratedb else {}
        return {"ELASTICSEARCH_URL": self.elasticsearch, **source, "INDEXER_CACHE": str(self.cache)}


@contextmanager
def playground_beside(elasticsearch: Server, cratedb: Server | None) -> Iterator[Playground]:
    """Take the servers that the tests use anyway, where the tests started them; else start others."""
    with tempfile.TemporaryDirectory(prefix="playground-") as folder, ExitStack() as stack:
        target, source = elasticsearch, cratedb
        if not _is_ours(elasticsearch):
            target = start_elasticsearch(_inside(folder), port=free_port())
            stack.callback(target.stop)
        if not _is_ours(cratedb):
            source = start_cratedb(_inside(folder), port=free_port())
            if source is not None:
                stack.callback(source.stop)
            elif find_cratedb():
                pytest.skip("The one CrateDB that is here is not the tests' own, and the demo would use it.")
        cache = _inside(folder)
        yield Playground(target.url, source.url if source else None, cache)
        assert run("indexer", "down", INDEXER_CACHE=str(cache)).out == "Nothing was running.\n"


def _is_ours(server: Server | None) -> bool:
    return server is not None and (server.process is not None or server.container is not None)


def _inside(folder: str) -> Path:
    """A folder that the account can enter that root's servers run as."""
    Path(folder).chmod(0o755)
    return Path(tempfile.mkdtemp(dir=folder))
