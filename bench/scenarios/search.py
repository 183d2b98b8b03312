"""Search: every match to NDJSON, how fast and in what memory, and what the README's first example costs of its own."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from shlex import join
from threading import Thread
from typing import Final

from bench.competitors.reindex import JOBS
from bench.meter.child import ChildResult, console_script, run_child
from bench.meter.machine import Machine, describe_machine
from bench.meter.meter import Meter, wait_until_idle
from bench.meter.servers import Servers
from bench.meter.usage import Usage
from bench.report.markdown import figure_tables, report
from bench.report.record import Figure, Goal, Record
from bench.scenarios.tables import LOGS, make_logs
from indexer.access import TargetAccess
from indexer.job.overlay_file import shipped_mappings
from indexer.sink.client import connect
from indexer.sink.index import Indexes

__all__ = ["Export", "run_search", "search_record"]

_ALIAS: Final = "bench_search"
_ALL: Final = ("--all", "-o", "ndjson")
_QUERY: Final = "timeout AND service:payments"
_FIRST: Final = (_QUERY, "--since", "2026-01-01", "--level", "ERROR", "--sort", "-ts", "-n", "20")
"""The first example of the README; the times of the table that is searched are fixed."""

_STARTS: Final = 10
"""How often it is run, after one run that does not count."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Export:
    """Every document to a file, once: the lines that were written, peak memory in bytes, and what it took."""

    hits: int
    peak_rss: int
    usage: Usage


def run_search(servers: Servers, rows: int, repeat: int, say: Callable[[str], None]) -> Record:
    """Search an index of the sample logs; table and index are made where they are not there.

    Raises:
        ChildFailed: where a search fails.
    """
    make_logs(servers.source, rows, say)
    say(f"{'Made' if _make_index(servers, rows) else 'Found'} {_ALIAS} with {rows:,} documents.")
    exports = tuple(_export(servers, say) for _ in range(repeat))
    wait_until_idle()
    piped = tuple(_search(servers, *_FIRST).cpu for _ in range(_STARTS + 1))[1:]
    with _terminal() as screen:
        terminal = tuple(_search(servers, *_FIRST, output=screen).cpu for _ in range(_STARTS + 1))[1:]
    return search_record(rows, describe_machine(servers.source, servers.target), exports, piped, terminal)


def search_record(
    rows: int, machine: Machine, exports: Sequence[Export], piped: tuple[float, ...], terminal: tuple[float, ...]
) -> Record:
    """The record.

    Args:
        rows: how many documents the index has.
        machine: where.
        exports: every document to NDJSON.
        piped: CPU seconds, user and system, of whole processes of the first example, to a pipe.
        terminal: likewise, to a terminal.
    """
    figures = (
        Figure("every document to NDJSON", "hits/s", tuple(one.hits / one.usage.seconds for one in exports), more=True),
        Figure("every document to NDJSON, peak memory", "MB", tuple(one.peak_rss / 1e6 for one in exports)),
        Figure("the first example to a pipe", "CPU s", piped),
        Figure("the first example to a terminal", "CPU s", terminal),
    )
    doubts = (
        f"run {place}: {doubt}"
        for place, one in enumerate(exports, 1)
        for doubt in (*one.usage.noise, *([] if one.hits == rows else ["it is not complete"]))
    )
    rate, *others = figures
    record = Record(
        bench="search",
        settings={"rows": rows, "repeat": len(exports)},
        machine=machine,
        figures=figures,
        measured={"exports": tuple(exports), "piped": piped, "terminal": terminal},
        goals=(
            Goal(f"{rate.name}, {rate.unit}", 50_000, rate.spread),
            *(
                Goal(f"{one.name}, {one.unit}", wanted, one.spread, most=True)
                for one, wanted in zip(others, (150, 0.4, 0.4), strict=True)
            ),
        ),
        doubts=tuple(doubts),
    )
    how = (
        f"{rows:,} documents. Every one to a file: `indexer search {join(_ALL)}`. The README's first example:"
        f" `indexer search {join(_FIRST)}`."
    )
    return report(record, how, *figure_tables(record))


def _make_index(servers: Servers, rows: int) -> bool:
    """Whether it had to be made."""
    with connect(TargetAccess(url=servers.target)) as cluster:
        if cluster.client.indices.exists(index=_ALIAS) and Indexes(cluster).count(_ALIAS) == rows:
            return False
    run_child(
        [
            *(console_script("reindex"), "--quiet", "--fresh", "--source", servers.source, "--target", servers.target),
            *("--table", str(LOGS), "--mapping", shipped_mappings() / "logs.yaml"),
            *("--index", _ALIAS, "--keep", "0", "--jobs-index", JOBS),
        ]
    )
    return True


def _export(servers: Servers, say: Callable[[str], None]) -> Export:
    wait_until_idle()
    with tempfile.TemporaryFile() as file:
        with Meter(servers.source, servers.target) as meter:
            done = _search(servers, *_ALL, output=file.fileno())
        file.seek(0)
        hits = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))
    say(f"{hits:,} hits: {hits / done.seconds:,.0f} a second.")
    return Export(hits, done.peak_rss, replace(meter.usage, seconds=done.seconds, client=done.cpu))


def _search(servers: Servers, *arguments: str, output: int = subprocess.PIPE) -> ChildResult:
    search = ["search", *arguments, "--index", _ALIAS, "--target", servers.target]
    return run_child([console_script("indexer"), *search], output)


@contextmanager
def _terminal() -> Iterator[int]:
    """A terminal to print to, and a thread that reads it."""
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
