"""What all reports share: tables in Markdown, spreads for people, goals, and where it was measured."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.figures import Goal, Spread
from bench.machine import Machine, ServerFacts

__all__ = ["LARGE", "Cells", "machine_lines", "milliseconds", "rate", "ratio", "table", "verdict"]

LARGE: Final = 1_000
"""From here on, the digits behind the point say nothing."""

Cells = Sequence[str]


def verdict(goals: Iterable[Goal], doubts: Sequence[str]) -> str:
    """Each goal and whether it was reached, or why none is judged."""
    if doubts:
        return "No goal is judged, for these reasons:\n" + "\n".join(f"- {doubt}" for doubt in doubts)
    return "\n".join(map(_goal, goals))


def _goal(goal: Goal) -> str:
    sign = "at most" if goal.most else "at least"
    return f"- {goal.what}: {_got(goal)}, wanted {sign} {goal.wanted:,.12g}: {'reached' if goal.reached else 'MISSED'}"


def _got(goal: Goal) -> str:
    return rate(goal.got) if goal.wanted >= LARGE else ratio(goal.got)


def machine_lines(machine: Machine) -> str:
    """Where it was measured, as a list."""
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    lines = [
        f"- {machine.cores} cores of {machine.cpu}, {machine.memory / 2**30:.0f} GiB, {machine.system}",
        f"- {_server('CrateDB', machine.cratedb)}",
        f"- Python {machine.python}; {packages}",
        f"- commit {machine.commit or 'unknown'}",
    ]
    if machine.elasticsearch:
        lines.insert(2, f"- {_server('Elasticsearch', machine.elasticsearch)}")
    return "\n".join(lines)


def _server(name: str, facts: ServerFacts) -> str:
    nodes = "one node" if facts.nodes == 1 else f"{facts.nodes} nodes"
    return f"{name} {facts.version}, {nodes}, {facts.heap / 2**30:.1f} GiB heap"


def rate(one: Spread) -> str:
    """Without digits behind the point."""
    return f"{one.median:,.0f} ({one.low:,.0f}-{one.high:,.0f})"


def ratio(one: Spread) -> str:
    """With two."""
    return f"{one.median:.2f} ({one.low:.2f}-{one.high:.2f})"


def milliseconds(one: Spread) -> str:
    """With one."""
    return f"{one.median:,.1f} ({one.low:,.1f}-{one.high:,.1f})"


def table(head: Cells, rows: Sequence[Cells]) -> str:
    """A table in Markdown: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(map(_line, ([_padded(head, widths), rule, *(_padded(row, widths) for row in rows)])))


def _padded(cells: Cells, widths: Sequence[int]) -> list[str]:
    first, *others = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def _line(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"
