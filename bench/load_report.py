"""The reports of memory, of scale, and of two records compared."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.comparing import Move
from bench.figures import spread
from bench.markdown import Cells, machine_lines, rate, ratio, table, verdict
from bench.memory import Memory
from bench.record import Figure
from bench.run import Way
from bench.scale import Scale

__all__ = ["comparison", "memory_report", "scale_report"]

MIB: Final = 1 << 20

_HOW: Final = (
    "Most memory of the client's process in MiB, by the width of a row; reindex with --memory {allowed:,.0f}MiB."
    " Medians (min-max); a table ends at a million rows."
)


def memory_report(found: Memory) -> str:
    """The peak of each way by the width of a row."""
    head = ("way", *(f"{width:,} B" for width in found.widths))
    parts = [
        _HOW.format(allowed=found.allowed / MIB),
        table(head, [(way, *(_peak(found, way, width) for width in found.widths)) for way in found.ways]),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def scale_report(found: Scale) -> str:
    """Rows a second by settings, and the cost of a row by the table's size."""
    rates = [(found.label(point), rate(spread(rates))) for point, rates in found.rates.items()]
    costs = [(f"{size:,}", ratio(spread(costs))) for size, costs in found.costs.items()]
    parts = [
        "reindex by its settings, medians (min-max); the runs take turns, in another order in each round.",
        table(("settings", "rows/s"), sorted(rates)),
        "What a row costs as the table grows, with the default settings.",
        table(("rows", "µs a row"), costs),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def comparison(moves: Sequence[Move], differences: Sequence[str]) -> str:
    """What moved between two records, and what else differs between them."""
    rows = [_move(one) for one in moves]
    other = "\n".join(f"- {line}" for line in differences) or "- nothing"
    return "\n\n".join(
        [
            table(("figure", "before", "after", "change", "verdict"), rows),
            "better and WORSE: no sample of the one run lies among those of the other.",
            f"What else differs:\n{other}",
        ]
    )


def _peak(found: Memory, way: Way, width: int) -> str:
    peaks = found.peaks(way, width)
    return rate(spread(peaks)) if peaks else f"failed: {found.error(way, width)}"


def _move(one: Move) -> Cells:
    return one.before.name, _median(one.before), _median(one.after), f"{one.change:+.1%}", one.verdict


def _median(figure: Figure) -> str:
    return f"{median(figure.samples):,.4g} {figure.unit}"
