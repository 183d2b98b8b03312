"""Searching: every match to NDJSON, how fast and in what memory, and what the first example costs of its own."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from threading import Thread
from typing import Final

from bench.charts import Chart
from bench.child import Finished, console_script, finish
from bench.data import LOGS, make_logs
from bench.figures import Goal, spread
from bench.machine import Machine, look
from bench.meter import Meter, settle
from bench.record import Figure
from bench.run import Spent
from bench.servers import Urls
from bench.ways.ours import JOBS
from indexer.job.overlay_file import shipped_mappings
from indexer.settings import TargetAccess
from indexer.sink.client import connect
from indexer.sink.index import Indexes

__all__ = ["DEEP", "FIRST", "Deep", "Searching", "measure"]

_ALIAS: Final = "bench_search"
DEEP: Final = ("--all", "-o", "ndjson")
_QUERY: Final = "timeout AND service:payments"
FIRST: Final = (_QUERY, "--since", "2026-01-01", "--level", "ERROR", "--sort", "-ts", "-n", "20")
"""The first example of the README; the times of the table that is searched are fixed."""

_STARTS: Final = 10
"""How often it is run, after one run that does not count."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Deep:
    """Every document to a file, once.

    Attributes:
        hits: how many lines were written.
        peak_rss: the most memory that the process held, in bytes.
        spent: from starting Python to its end.
    """

    hits: int
    peak_rss: int
    spent: Spent

    @property
    def rate(self) -> float:
        """Hits a second."""
        return self.hits / self.spent.seconds


@dataclass(frozen=True, slots=True)
class Searching:
    """What was measured.

    Attributes:
        machine: where.
        rows: how many documents the index has.
        deep: every document to NDJSON.
        piped: CPU seconds, user and system, of whole processes of the first example, to a pipe.
        terminal: likewise, to a terminal.
    """

    machine: Machine
    rows: int
    deep: tuple[Deep, ...]
    piped: tuple[float, ...]
    terminal: tuple[float, ...]

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What a search is to reach."""
        return (
            Goal("every document to NDJSON, thousand hits a second", 50, spread(one.rate / 1e3 for one in self.deep)),
            Goal(
                "every document to NDJSON, peak memory in MB",
                150,
                spread(one.peak_rss / 1e6 for one in self.deep),
                most=True,
            ),
            Goal("the first example to a pipe, CPU seconds", 0.4, spread(self.piped), most=True),
            Goal("the first example to a terminal, CPU seconds", 0.4, spread(self.terminal), most=True),
        )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What the goals are judged by."""
        return (
            Figure("every document to NDJSON", "hits/s", tuple(one.rate for one in self.deep), more=True),
            Figure("peak memory of it", "MB", tuple(one.peak_rss / 1e6 for one in self.deep)),
            Figure("the first example, piped", "CPU s", self.piped),
            Figure("the first example on a terminal", "CPU s", self.terminal),
        )

    @property
    def charts(self) -> tuple[Chart, ...]:
        """None: four figures need no picture."""
        return ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why no goal can be judged: runs that others on this machine disturbed, or that missed documents."""
        return tuple(
            f"run {number}: {doubt}"
            for number, one in enumerate(self.deep, 1)
            for doubt in (*one.spent.noise, *([] if one.hits == self.rows else ["it is not complete"]))
        )


def measure(urls: Urls, rows: int, repeat: int, say: Callable[[str], None]) -> Searching:
    """Search an index of the sample logs.

    Args:
        urls: the servers.
        rows: how many documents; table and index are made where they are not there.
        repeat: how often every document is written.
        say: is told what goes on.

    Raises:
        ChildFailed: where a search does not end well.
    """
    make_logs(urls.source, rows, say)
    say(f"{'Made' if _make_index(urls, rows) else 'Found'} {_ALIAS} with {rows:,} documents.")
    deep = tuple(_deep(urls, say) for _ in range(repeat))
    settle()
    piped = tuple(_search(urls, *FIRST).cpu for _ in range(_STARTS + 1))[1:]
    with _terminal() as screen:
        terminal = tuple(_search(urls, *FIRST, output=screen).cpu for _ in range(_STARTS + 1))[1:]
    return Searching(look(urls.source, urls.target), rows, deep, piped, terminal)


def _make_index(urls: Urls, rows: int) -> bool:
    """Whether it had to be made."""
    with connect(TargetAccess(url=urls.target)) as cluster:
        if cluster.client.indices.exists(index=_ALIAS) and Indexes(cluster).count(_ALIAS) == rows:
            return False
    mapping = shipped_mappings() / "logs.yaml"
    finish(
        [
            *(console_script("reindex"), "--quiet", "--fresh", "--source", urls.source, "--target", urls.target),
            *("--table", str(LOGS), "--mapping", mapping, "--index", _ALIAS, "--keep", "0", "--jobs-index", JOBS),
        ]
    )
    return True


def _deep(urls: Urls, say: Callable[[str], None]) -> Deep:
    settle()
    with tempfile.TemporaryFile() as file:
        with Meter(urls.source, urls.target) as meter:
            done = _search(urls, *DEEP, output=file.fileno())
        file.seek(0)
        hits = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))
    one = Deep(hits, done.peak_rss, replace(meter.spent, seconds=done.seconds, client=done.cpu))
    say(f"{hits:,} hits: {one.rate:,.0f} a second.")
    return one


def _search(urls: Urls, *arguments: str, output: int = subprocess.PIPE) -> Finished:
    search = ["search", *arguments, "--index", _ALIAS, "--target", urls.target]
    return finish([console_script("indexer"), *search], output)


@contextmanager
def _terminal() -> Iterator[int]:
    """A terminal to print to, and someone who reads it."""
    screen, keyboard = os.openpty()
    reader = Thread(target=_drain, args=(screen,))
    reader.start()
    try:
        yield keyboard
    finally:
        os.close(keyboard)
        reader.join()
        os.close(screen)


def _drain(screen: int) -> None:
    with suppress(OSError):  # so Linux tells the end of a terminal
        while os.read(screen, _CHUNK):
            pass
