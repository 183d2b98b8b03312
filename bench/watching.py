"""Watching the server while it answers: what its breakers count of a query, and how full its heap is."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from crate.client.exceptions import Error

from bench.database import cursor
from indexer.model.json import Json

__all__ = ["Load", "watched"]

_PAUSE: Final = 0.005
"""Seconds between two looks."""

_LOOK: Final = "SELECT (SELECT sum(used_bytes) FROM sys.operations), max(heap['used']), max(heap['max']) FROM sys.nodes"
_CHECKS: Final = "SELECT count(*) FROM sys.node_checks WHERE NOT passed"
_REASON: Final = 160


@dataclass(frozen=True, slots=True)
class Load:
    """What a query took of the server.

    Attributes:
        query: in words.
        used: bytes that its breakers counted at most, of all operations (`sys.operations`).
        heap: bytes of the heap in use at most (`sys.nodes`), garbage included.
        heap_max: bytes of the heap.
        looks: how often the server told; where it never did, the figures are 0.
        failed_checks: of `sys.node_checks`, after it.
        error: what the server said instead of rows, or None: so a breaker trips.
    """

    query: str
    used: int
    heap: int
    heap_max: int
    looks: int
    failed_checks: int
    error: str | None


class _Watch(Thread):
    """Looks again and again until it is stopped."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self._stopped = url, Event()
        self.seen: list[tuple[int, ...]] = []

    def run(self) -> None:
        """Look, at least once; where a query fills the heap, the server may refuse a look too."""
        with cursor(self._url) as one:
            while True:
                with suppress(Error):
                    one.execute(_LOOK, [])
                    self.seen.append(_numbers(one.fetchall()[0]))
                if self._stopped.wait(_PAUSE):
                    return

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._stopped.set()
        self.join()


def watched(url: str, query: str, statement: str, parameters: Sequence[Json]) -> Load:
    """Run one statement and watch; its time is not taken, for watching disturbs it."""
    with cursor(url) as one:
        watch, error = _Watch(url), None
        watch.start()
        try:
            one.execute(statement, list(parameters))
        except Error as failed:
            error = str(failed)[:_REASON]
        finally:
            watch.stop()
        one.execute(_CHECKS, [])
        failed_checks = _numbers(one.fetchall()[0])[0]
    used, heap, heap_max = (max(values) for values in zip(*(watch.seen or [(0, 0, 0)]), strict=True))
    return Load(query, used, heap, heap_max, len(watch.seen), failed_checks, error)


def _numbers(row: Sequence[Json]) -> tuple[int, ...]:
    return tuple(value if isinstance(value, int) else 0 for value in row)
