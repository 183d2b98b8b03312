"""Every benchmark, one after the other, on the same servers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.memory import WIDTHS
from bench.paging import PAGE, Plan
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

__all__ = ["FULL", "SMALL", "Size", "run_all"]

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        rows: of the table of sample logs.
        repeat: rounds of each benchmark.
        paging: its tables and rounds.
        widths: bytes of a row, for memory.
        total: bytes of each table, for memory.
        memory: bytes of `--memory`, for memory.
        grid: the settings, for scale.
        grow: rows of the growing tables, for scale.
    """

    rows: int
    repeat: int
    paging: Plan
    widths: tuple[int, ...]
    total: int
    memory: int
    grid: Grid
    grow: tuple[int, ...]


SMALL: Final = Size(
    rows=60_000,
    repeat=1,
    paging=Plan((100_000, 200_000), 2_000, 2, limit=2),
    widths=(1_000, 100_000),
    total=16 * MIB,
    memory=32 * MIB,
    grid=Grid((1, 2), (1, 2), (10_000,), (2 * MIB,)),
    grow=(50_000, 100_000),
)
"""Ends in under eight minutes on two quiet cores: it shows that all of it works, its figures are rough."""

FULL: Final = Size(
    rows=2_000_000,
    repeat=3,
    paging=Plan((1_000_000, 2_000_000, 5_000_000, 10_000_000), PAGE, 3, limit=30),
    widths=WIDTHS,
    total=512 * MIB,
    memory=256 * MIB,
    grid=Grid((1, 2, 4), (1, 2, 4), (2_000, 10_000), (MIB // 2, 2 * MIB)),
    grow=(100_000, 1_000_000, 10_000_000),
)
"""What the README's figures are made of: hours."""


def run_all(urls: Urls, size: Size, say: Say) -> Iterator[Record]:
    """Run each, and give its record as soon as it is there."""
    yield record_paging(urls.source, size.paging, say)
    yield record_end_to_end(urls, size.rows, size.repeat, say)
    yield record_memory(urls, size.widths, size.total, size.memory, size.repeat, say)
    yield record_scale(urls, size.rows, size.grid, size.grow, size.repeat, say)
    yield record_searching(urls, size.rows, size.repeat, say)
    yield record_verifying(urls, size.rows, size.repeat, say)
