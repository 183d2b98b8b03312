"""The reports of memory, of scale, and of two records compared."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from bench.comparing import Move
from bench.figures import spread
from bench.markdown import LARGE, Cells, machine_lines, rate, ratio, table, verdict
from bench.memory import MIB, MOST_ROWS, Memory
from bench.record import Figure
from bench.run import Run, Way
from bench.scale import FEW, Scale

__all__ = ["comparison", "memory_report", "scale_report"]

_COMPARED: Final = (
    "before and after are medians; better and WORSE: every sample of the one run lies beyond all of the other. A figure"
    " that only one of the records has is left out."
)

_HOW: Final = (
    "The most memory that the client's process held, in MiB, by the width of a row in bytes (B). reindex was"
    " allowed --memory {allowed:,.0f}MiB. Each table has as many rows as fill --total, but no more than {most:,}."
    " Medians (min-max)."
)


_ADDED: Final = (
    "What a row adds to the whole command as tables grow, with the default settings: its time and the CPU time of"
    " each program (0.0 where it runs elsewhere), beyond those of a job of {few:,} rows, which takes {seconds} s;"
    " medians (min-max), µs."
)


def memory_report(found: Memory) -> str:
    """The peak of each way by the width of a row."""
    head = ("way", *(f"{width:,} B" for width in found.widths))
    parts = [
        _HOW.format(allowed=found.allowed / MIB, most=MOST_ROWS),
        table(head, [(way, *(_peak(found, way, width) for width in found.widths)) for way in found.ways]),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def scale_report(found: Scale) -> str:
    """Rows a second by settings, and the cost of a row by the table's size."""
    rates = [(found.label(point), rate(spread(rates))) for point, rates in found.rates.items()]
    tried = max((one.rows for one in found.grid), default=0)
    parts = [
        f"reindex of {tried:,} rows by its settings, medians (min-max); the runs take turns in an order that changes.",
        table(("settings", "rows/s"), rates),
        *_growth(found),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def _growth(found: Scale) -> Iterator[str]:
    if found.few:
        yield _ADDED.format(few=FEW, seconds=ratio(spread(found.few)))
        cpu = [found.added(part) for part in (_client, _source, _target)]
        yield table(
            ("rows", "µs a row", "CPU of the client", "of CrateDB", "of Elasticsearch"),
            [
                (f"{size:,}", ratio(spread(costs)), *(f"{median(part[size]):.1f}" for part in cpu))
                for size, costs in found.costs.items()
            ],
        )


def _client(run: Run) -> float:
    return run.spent.client


def _source(run: Run) -> float:
    return run.spent.source or 0.0


def _target(run: Run) -> float:
    return run.spent.target or 0.0


def comparison(moves: Sequence[Move], differences: Sequence[str]) -> str:
    """What moved between two records, and what else differs between them."""
    rows = [_move(one) for one in moves]
    other = "\n".join(f"- {line}" for line in differences) or "- nothing"
    found = table(("figure", "before", "after", "change", "verdict"), rows)
    return f"{found}\n\n{_COMPARED}\n\nWhat else differs:\n{other}"


def _peak(found: Memory, way: Way, width: int) -> str:
    peaks = found.peaks(way, width)
    return rate(spread(peaks)) if peaks else f"failed: {found.error(way, width)}"


def _move(one: Move) -> Cells:
    return one.before.name, _median(one.before), _median(one.after), f"{one.change:+.1%}", one.verdict


def _median(figure: Figure) -> str:
    middle = median(figure.samples)
    return f"{middle:,.0f} {figure.unit}" if middle >= LARGE else f"{middle:.4g} {figure.unit}"
