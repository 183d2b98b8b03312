"""The servers to measure on: those named, or the benchmarks' own, started and stopped here; and SQL against CrateDB."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crate.client.exceptions import Error

from indexer.errors import SourceError, UsageError
from indexer.model.json import Json, Row
from indexer.sandbox import cache
from indexer.sandbox.cratedb import HOW_TO_GET, start_cratedb
from indexer.sandbox.cratedb_table import Cursor, crate_cursor
from indexer.sandbox.elasticsearch import start_elasticsearch
from indexer.sandbox.process import free_port

__all__ = ["Servers", "bench_folder", "both_servers", "query", "source_server", "sql_cursor", "target_server"]

_FOLDER: Final = "bench"


@dataclass(frozen=True, slots=True)
class Servers:
    """The URLs of CrateDB and Elasticsearch, as `--source` and `--target` take them."""

    source: str
    target: str


def bench_folder() -> Path:
    """Where the benchmarks keep their servers and what they install, in the cache folder."""
    return cache.server_cache() / cache.SERVERS / _FOLDER


@contextmanager
def both_servers(source: str | None, target: str | None, *, heap: int | None = None) -> Iterator[Servers]:
    """The servers at these URLs; one without a URL is started, stopped at the end, and its data is kept.

    Args:
        source: CrateDB's URL.
        target: Elasticsearch's URL.
        heap: bytes of the Java heap of an Elasticsearch that is started; None for up to 1 GiB.

    Raises:
        UsageError: where a server is missing or does not start, or one that runs already should get another heap.
    """
    with source_server(source) as found, target_server(target, heap=heap) as other:
        yield Servers(found, other)


@contextmanager
def source_server(url: str | None) -> Iterator[str]:
    """CrateDB alone, likewise."""
    with ExitStack() as stack:
        if url is None:
            server = start_cratedb(bench_folder() / "cratedb", port=free_port())
            if server is None:
                raise UsageError(HOW_TO_GET)
            stack.callback(server.stop)
            url = server.url
        yield url


@contextmanager
def target_server(url: str | None, *, heap: int | None = None) -> Iterator[str]:
    """Elasticsearch alone, likewise."""
    if url and heap:
        raise UsageError(
            "--target-heap is for an Elasticsearch that is started here: leave out --target or --target-heap."
        )
    with ExitStack() as stack:
        if url is None:
            server = start_elasticsearch(bench_folder() / "elasticsearch", port=free_port(), heap=heap)
            stack.callback(server.stop)
            url = server.url
        yield url


@contextmanager
def sql_cursor(url: str) -> Iterator[Cursor]:
    """A cursor on a connection of its own.

    Raises:
        SourceError: where the server answers a statement with an error, or does not answer.
    """
    try:
        with crate_cursor(url) as cursor:
            yield cursor
    except Error as error:
        raise SourceError(f"CrateDB at {url.rpartition('@')[2]}: {error}") from error


def query(url: str, sql: str, parameters: Sequence[Json] = ()) -> list[Row]:
    """Run one statement; its rows."""
    with sql_cursor(url) as cursor:
        cursor.execute(sql, list(parameters))
        return cursor.fetchall()
