"""Reports: tables in Markdown, as they go into the README, and JSON with every single run."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import orjson

from bench.end_to_end import EndToEnd
from bench.figures import Goal, Line, Spread
from bench.machine import Machine, ServerFacts
from bench.paging import PAGE, Depth, Paging
from bench.searching import Searching
from bench.verifying import Verified, Verifying
from bench.ways.naive_parallel import CHUNK, THREADS

__all__ = [
    "end_to_end_json",
    "end_to_end_report",
    "paging_json",
    "paging_report",
    "searching_json",
    "searching_report",
    "verifying_json",
    "verifying_report",
]

_WAYS_HEAD: Final = (
    "way",
    "rows/s, median (min-max)",
    "reindex is faster by",
    "of the bound",
    "peak MB",
    "client CPU s",
    "CPU µs/row: client + CrateDB + Elasticsearch",
    "complete",
)

_VERIFYING_HEAD: Final = (
    "round",
    "rows/s",
    "seconds",
    "peak MB",
    "CPU µs/row: client + CrateDB + Elasticsearch",
)

_NOTES: Final = (
    "rows/s count from asking for the first page (writing alone: sending the first batch) to the last answer, without"
    " the refresh. Peak MB is the client's process; writing alone holds all documents in it. reindex's CPU is its whole"
    f" process, planning and verification included. The helpers read keyset pages of {PAGE:,} rows. helpers.bulk is as"
    " its documentation shows it: 500 documents a request, into an index with the same mapping and otherwise"
    f" Elasticsearch's own settings. Tuned, the helpers send {CHUNK:,} documents a request, parallel_bulk with"
    f" {THREADS} threads, into an index prepared as reindex prepares its own: without refreshes and replicas."
)

_LARGE: Final = 1_000
"""From here on, the digits behind the point say nothing."""

Cells = Sequence[str]


def end_to_end_report(found: EndToEnd) -> str:
    """The table of all ways, what its figures mean, and where they were measured."""
    read, write, *others = map(_way, found.lines)
    bound = ("bound `1/(1/read + 1/write)`", _rate(found.bound), "", "1.00", "", "", "", "")
    parts = [
        f"{found.rows:,} rows; every way {len(found.rounds)} times, in turn; ratios are within one round.",
        _table(_WAYS_HEAD, [read, write, bound, *others]),
        _NOTES,
        _verdict(found.goals, found.doubts),
        _machine(found.machine),
    ]
    return "\n\n".join(parts)


def paging_report(found: Paging) -> str:
    """What a page costs by its depth."""
    rows_a_page = median(walk.rows / walk.pages for walk in found.walks)
    tenths = [(f"{number}", _milliseconds(tenth)) for number, tenth in enumerate(found.tenths, 1)]
    parts = [
        f"{found.rows:,} narrow rows; windows of at most {PAGE:,}, {rows_a_page:,.0f} rows a page; one reader.",
        _table(("tenth of the table", f"ms of the median page, {len(found.walks)} walks (min-max)"), tenths),
        _table(("strategy", "depth", "ms a page, median (min-max)"), list(map(_depth, found.depths))),
        _verdict([found.goal], found.doubts),
        _machine(found.machine),
    ]
    return "\n\n".join(parts)


def end_to_end_json(found: EndToEnd) -> bytes:
    """Every run, and the figures made of them."""
    figures = {"lines": found.lines, "bound": found.bound, "goals": found.goals, "doubts": found.doubts}
    return orjson.dumps({"measured": found, **figures}, option=orjson.OPT_INDENT_2)


def paging_json(found: Paging) -> bytes:
    """Everything that was measured, and its goal."""
    return orjson.dumps(
        {"measured": found, "tenths": found.tenths, "goal": found.goal, "doubts": found.doubts},
        option=orjson.OPT_INDENT_2,
    )


def searching_report(found: Searching) -> str:
    """What a search reaches."""
    how = (
        f"{found.rows:,} documents; all of them to a file {len(found.deep)} times, the first example"
        f" {len(found.piped)} times to a pipe and to a terminal; medians (min-max)."
    )
    parts = [
        how,
        _verdict(found.goals, found.doubts),
        _machine(found.machine),
    ]
    return "\n\n".join(parts)


def searching_json(found: Searching) -> bytes:
    """Everything that was measured, and its goals."""
    return orjson.dumps({"measured": found, "goals": found.goals, "doubts": found.doubts}, option=orjson.OPT_INDENT_2)


def verifying_report(found: Verifying) -> str:
    """What comparing every row costs."""
    parts = [
        f"{found.rows:,} rows, each compared field by field; {len(found.rounds)} verifications.",
        _table(_VERIFYING_HEAD, [_verified(number, one) for number, one in enumerate(found.rounds, 1)]),
        _verdict(found.goals, found.doubts),
        _machine(found.machine),
    ]
    return "\n\n".join(parts)


def verifying_json(found: Verifying) -> bytes:
    """Every verification, and its goals."""
    figures = {"rate": found.rate, "megabytes": found.megabytes, "goals": found.goals, "doubts": found.doubts}
    return orjson.dumps({"measured": found, **figures}, option=orjson.OPT_INDENT_2)


def _way(line: Line) -> Cells:
    return (
        str(line.way),
        _rate(line.rate),
        _ratio(line.lead),
        _ratio(line.share),
        f"{line.peak_rss / 1e6:,.0f}",
        f"{line.client:.1f}",
        _cpu(line.client_us, line.source_us, line.target_us),
        "yes" if line.complete else "NO",
    )


def _verified(number: int, one: Verified) -> Cells:
    spent = one.spent
    each = [
        None if seconds is None else 1e6 * seconds / one.rows for seconds in (spent.client, spent.source, spent.target)
    ]
    return f"{number}", f"{one.rate:,.0f}", f"{one.seconds:,.1f}", f"{one.peak_rss / 1e6:,.0f}", _cpu(*each)


def _cpu(*microseconds: float | None) -> str:
    return " + ".join("?" if us is None else f"{us:.1f}" for us in microseconds)


def _depth(found: Depth) -> Cells:
    cost = _milliseconds(found.milliseconds) if found.milliseconds else found.error or ""
    return found.strategy.value, f"{found.depth:.0%}", cost


def _verdict(goals: Iterable[Goal], doubts: Sequence[str]) -> str:
    if doubts:
        return "No goal is judged, for these reasons:\n" + "\n".join(f"- {doubt}" for doubt in doubts)
    return "\n".join(map(_goal, goals))


def _goal(goal: Goal) -> str:
    sign = "at most" if goal.most else "at least"
    return f"- {goal.what}: {_got(goal)}, wanted {sign} {goal.wanted:,.12g}: {'reached' if goal.reached else 'MISSED'}"


def _got(goal: Goal) -> str:
    return _rate(goal.got) if goal.wanted >= _LARGE else _ratio(goal.got)


def _machine(machine: Machine) -> str:
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


def _rate(one: Spread) -> str:
    return f"{one.median:,.0f} ({one.low:,.0f}-{one.high:,.0f})"


def _ratio(one: Spread) -> str:
    return f"{one.median:.2f} ({one.low:.2f}-{one.high:.2f})"


def _milliseconds(one: Spread) -> str:
    return f"{one.median:,.1f} ({one.low:,.1f}-{one.high:,.1f})"


def _table(head: Cells, rows: Sequence[Cells]) -> str:
    """A table in Markdown: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(map(_line, ([_padded(head, widths), rule, *(_padded(row, widths) for row in rows)])))


def _padded(cells: Cells, widths: Sequence[int]) -> list[str]:
    first, *others = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def _line(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"
