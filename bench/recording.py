"""Each benchmark from what it is told to its record."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from bench import end_to_end, memory, paging, scale, searching, verifying
from bench.load_report import memory_report, scale_report
from bench.paging_report import paging_report
from bench.record import Record, record
from bench.report import end_to_end_report, searching_report, verifying_report
from bench.servers import Urls

__all__ = [
    "Say",
    "record_end_to_end",
    "record_memory",
    "record_paging",
    "record_scale",
    "record_searching",
    "record_verifying",
]

Say = Callable[[str], None]


def record_end_to_end(urls: Urls, made: end_to_end.Plan, say: Say) -> Record:
    """Every way, as `end_to_end.measure`."""
    found = end_to_end.measure(urls, made, say)
    return record("end-to-end", asdict(made), found, end_to_end_report(found))


def record_paging(url: str, plan: paging.Plan, say: Say) -> Record:
    """Pages by their depth, as `paging.measure`."""
    found = paging.measure(url, plan, say)
    return record("paging", asdict(plan), found, paging_report(found, plan))


def record_memory(urls: Urls, widths: Sequence[int], total: int, allowed: int, repeat: int, say: Say) -> Record:
    """Memory by the width of rows, as `memory.measure`."""
    found = memory.measure(urls, widths, total, allowed, repeat, say)
    settings = {"widths": widths, "total": total, "memory": allowed, "repeat": repeat}
    return record("memory", settings, found, memory_report(found))


def record_scale(urls: Urls, rows: int, grid: scale.Grid, grow: Sequence[int], repeat: int, say: Say) -> Record:
    """Settings and growing tables, as `scale.measure`."""
    found = scale.measure(urls, rows, grid, grow, repeat, say)
    return record("scale", {"rows": rows, **asdict(grid), "grow": grow, "repeat": repeat}, found, scale_report(found))


def record_searching(urls: Urls, rows: int, repeat: int, say: Say) -> Record:
    """Searches, as `searching.measure`."""
    found = searching.measure(urls, rows, repeat, say)
    return record("search", {"rows": rows, "repeat": repeat}, found, searching_report(found))


def record_verifying(urls: Urls, rows: int, repeat: int, say: Say) -> Record:
    """Full verifications, as `verifying.measure`."""
    found = verifying.measure(urls, rows, repeat, say)
    return record("verify", {"rows": rows, "repeat": repeat}, found, verifying_report(found))
