"""What measuring costs by itself: an empty block in the meter, and a process that does nothing."""

import sys
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final

from bench.child import finish
from bench.meter import Meter

__all__ = ["Overhead", "own_overhead"]

_TIMES: Final = 5
_CALLS: Final = 10_000
_NOWHERE: Final = "crate://localhost:1"


@dataclass(frozen=True, slots=True)
class Overhead:
    """The harness measured by itself, medians.

    Attributes:
        block: seconds of an empty block in the meter.
        process: seconds from starting a Python that does nothing to its end.
        clock: seconds of asking the clock twice, as every page does.
    """

    block: float
    process: float
    clock: float

    def __str__(self) -> str:
        return (
            f"- what measuring costs by itself, taken off no figure: {1e3 * self.block:.2f} ms of each measured"
            f" block, {1e6 * self.clock:.2f} µs of each page's time; {1e3 * self.process:.0f} ms of starting Python are"
            " in the wall time and the CPU time of processes, not in rows/s"
        )


def own_overhead() -> Overhead:
    """Measure it."""
    return Overhead(
        block=median(_block() for _ in range(_TIMES)),
        process=median(finish([sys.executable, "-c", "pass"]).seconds for _ in range(_TIMES)),
        clock=_clock(),
    )


def _block() -> float:
    with Meter(_NOWHERE) as meter:
        pass
    return meter.spent.seconds


def _clock() -> float:
    began = perf_counter()
    for _ in range(_CALLS):
        perf_counter()
        perf_counter()
    return (perf_counter() - began) / _CALLS
