"""The suite: every scenario but `mapping` and `ha`, one after the other on the same servers, small or in full."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.meter.servers import Servers
from bench.report.record import Record
from bench.scenarios.end_to_end import Plan, run_end_to_end
from bench.scenarios.memory import MIB, WIDTHS, MemoryPlan, run_memory
from bench.scenarios.paging import PAGE, PagingPlan, run_paging
from bench.scenarios.scale import ScalePlan, run_scale
from bench.scenarios.search import run_search
from bench.scenarios.verify import run_verify
from indexer.errors import UsageError

__all__ = ["FULL", "SCENARIOS", "SMALL", "Size", "chosen", "run_suite"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; `rows` and `repeat` are those of search and verify."""

    paging: PagingPlan
    end_to_end: Plan
    memory: MemoryPlan
    scale: ScalePlan
    rows: int
    repeat: int


SMALL: Final = Size(
    paging=PagingPlan((100_000, 200_000), 2_000, 2),
    end_to_end=Plan(60_000, 1, 30_000, others=False),
    memory=MemoryPlan((1_000, 100_000), 8 * MIB, 32 * MIB, 1),
    scale=ScalePlan(50_000, (1, 2), (2,), (10_000,), (2 * MIB,), (50_000, 100_000), 1),
    rows=60_000,
    repeat=1,
)
"""It shows that all of it works; its figures are rough."""

FULL: Final = Size(
    paging=PagingPlan((1_000_000, 2_000_000, 5_000_000, 10_000_000), PAGE, 3),
    end_to_end=Plan(500_000, 3, 100_000),
    memory=MemoryPlan(WIDTHS, 128 * MIB, 256 * MIB, 1),
    scale=ScalePlan(
        *(100_000, (1, 2, 4), (1, 2, 4), (2_000, 10_000), (MIB // 2, 2 * MIB)),
        grow=(100_000, 1_000_000, 10_000_000),
        repeat=1,
    ),
    rows=500_000,
    repeat=3,
)
"""Rows and rounds enough for figures that can be compared."""

Say = Callable[[str], None]

SCENARIOS: Final[dict[str, Callable[[Servers, Size, Say], Record]]] = {
    "paging": lambda servers, size, say: run_paging(servers.source, size.paging, say),
    "end-to-end": lambda servers, size, say: run_end_to_end(servers, size.end_to_end, say),
    "memory": lambda servers, size, say: run_memory(servers, size.memory, say),
    "scale": lambda servers, size, say: run_scale(servers, size.scale, say),
    "search": lambda servers, size, say: run_search(servers, size.rows, size.repeat, say),
    "verify": lambda servers, size, say: run_verify(servers, size.rows, size.repeat, say),
}
"""By the name of their command, in the order in which they run."""


def chosen(text: str) -> tuple[str, ...]:
    """Names of scenarios, separated by commas; all where there is none.

    Raises:
        UsageError: for a name that no scenario has.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in SCENARIOS:
            raise UsageError(f"There is no benchmark {name!r}: name some of {', '.join(SCENARIOS)}.")
    return tuple(name for name in SCENARIOS if name in names) if names else tuple(SCENARIOS)


def run_suite(servers: Servers, size: Size, names: Sequence[str], say: Say) -> Iterator[Record]:
    """Run each of these, and give its record as soon as it is there."""
    for name in names:
        say(f"{name}:")
        yield SCENARIOS[name](servers, size, say)
