"""Every benchmark, one after the other, on the same servers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench import end_to_end, paging
from bench.memory import MIB, WIDTHS
from bench.record import Record
from bench.recording import (
    Say,
    record_end_to_end,
    record_memory,
    record_paging,
    record_scale,
    record_searching,
    record_verifying,
)
from bench.scale import Grid
from bench.servers import Urls
from indexer.errors import UsageError

__all__ = ["BENCHES", "FULL", "SMALL", "Size", "chosen", "run_all"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        paging: its tables and passes.
        end_to_end: its tables, passes and ways.
        widths: bytes of a row, for memory.
        total: bytes of each table, for memory.
        memory: bytes of `--memory`, for memory.
        tried: rows of the table that settings are tried on, for scale.
        grid: the settings, for scale.
        grow: rows of the growing tables, for scale.
        rows: of the table that is searched and verified.
        repeat: how often those two are measured; memory and scale, which take longest, once.
    """

    paging: paging.Plan
    end_to_end: end_to_end.Plan
    widths: tuple[int, ...]
    total: int
    memory: int
    tried: int
    grid: Grid
    grow: tuple[int, ...]
    rows: int
    repeat: int


SMALL: Final = Size(
    paging=paging.Plan((100_000, 200_000), 2_000, 2, limit=2, once=200_000),
    end_to_end=end_to_end.Plan(60_000, 1, 30_000, others=False),
    widths=(1_000, 100_000),
    total=8 * MIB,
    memory=32 * MIB,
    tried=50_000,
    grid=Grid((1, 2), (2,), (10_000,), (2 * MIB,)),
    grow=(50_000, 100_000),
    rows=60_000,
    repeat=1,
)
"""It shows that all of it works; its figures are rough."""

FULL: Final = Size(
    paging=paging.Plan((1_000_000, 2_000_000, 5_000_000, 10_000_000), paging.PAGE, 3, limit=10, once=5_000_000),
    end_to_end=end_to_end.Plan(500_000, 3, 100_000),
    widths=WIDTHS,
    total=128 * MIB,
    memory=256 * MIB,
    tried=100_000,
    grid=Grid((1, 2, 4), (1, 2, 4), (2_000, 10_000), (MIB // 2, 2 * MIB)),
    grow=(100_000, 1_000_000, 10_000_000),
    rows=500_000,
    repeat=3,
)
"""Rows and passes enough for figures that can be compared."""

BENCHES: Final[dict[str, Callable[[Urls, Size, Say], Record]]] = {
    "paging": lambda urls, size, say: record_paging(urls.source, size.paging, say),
    "end-to-end": lambda urls, size, say: record_end_to_end(urls, size.end_to_end, say),
    "memory": lambda urls, size, say: record_memory(urls, size.widths, size.total, size.memory, 1, say),
    "scale": lambda urls, size, say: record_scale(urls, size.tried, size.grid, size.grow, 1, say),
    "search": lambda urls, size, say: record_searching(urls, size.rows, size.repeat, say),
    "verify": lambda urls, size, say: record_verifying(urls, size.rows, size.repeat, say),
}
"""By the name of their command, in the order in which they run."""


def chosen(text: str) -> tuple[str, ...]:
    """Names of benchmarks, separated by commas; all where there is none.

    Raises:
        UsageError: for a name that no benchmark has.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in BENCHES:
            raise UsageError(f"There is no benchmark {name!r}: name some of {', '.join(BENCHES)}.")
    return tuple(name for name in BENCHES if name in names) if names else tuple(BENCHES)


def run_all(urls: Urls, size: Size, names: Sequence[str], say: Say) -> Iterator[Record]:
    """Run each of these, and give its record as soon as it is there."""
    for name in names:
        say(f"{name}:")
        yield BENCHES[name](urls, size, say)
