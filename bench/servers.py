"""The servers to measure on: those named, else fresh ones of the benchmark's own, stopped at the end."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from indexer.errors import UsageError
from indexer.sandbox import cache
from indexer.sandbox.cratedb import HOW_TO_GET, start_cratedb
from indexer.sandbox.elasticsearch import start_elasticsearch
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Server

__all__ = ["FOLDER", "Urls", "both_servers", "source_server", "target_server"]

FOLDER: Final = "bench"
"""Of the benchmarks, among those of the servers in the cache folder."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the servers are.

    Attributes:
        source: CrateDB, as `--source` takes it.
        target: Elasticsearch, as `--target` takes it.
    """

    source: str
    target: str


@contextmanager
def both_servers(source: str | None, target: str | None, *, heap: int | None = None) -> Iterator[Urls]:
    """The servers at these URLs; where there is none, one is started and stopped again, its data kept for the next run.

    Args:
        source: CrateDB's URL.
        target: Elasticsearch's URL.
        heap: bytes of the Java heap of an Elasticsearch that is started; None for up to 1 GiB.

    Raises:
        UsageError: where a server is missing or did not start, or one that is there should get another heap.
    """
    with source_server(source) as found, target_server(target, heap=heap) as other:
        yield Urls(found, other)


@contextmanager
def source_server(url: str | None) -> Iterator[str]:
    """CrateDB alone, likewise."""
    with ExitStack() as stack:
        yield url or _until_the_end(stack, _cratedb()).url


@contextmanager
def target_server(url: str | None, *, heap: int | None = None) -> Iterator[str]:
    """Elasticsearch alone, likewise."""
    if url and heap:
        raise UsageError("--target-heap is for an Elasticsearch that is started here: leave it or --target out.")
    with ExitStack() as stack:
        yield url or _until_the_end(stack, _elasticsearch(heap)).url


def _cratedb() -> Server:
    server = start_cratedb(cache.server_cache() / cache.SERVERS / FOLDER / "cratedb", port=free_port())
    if server is None:
        raise UsageError(HOW_TO_GET)
    return server


def _elasticsearch(heap: int | None) -> Server:
    folder = cache.server_cache() / cache.SERVERS / FOLDER / "elasticsearch"
    return start_elasticsearch(folder, port=free_port(), heap=heap)


def _until_the_end(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.stop)
    return server
