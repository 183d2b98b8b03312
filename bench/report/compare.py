"""The comparison of two records of one benchmark: what moved, and whether beyond its own noise."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from bench.report.markdown import LARGE, table
from bench.report.record import Figure, Record
from indexer.errors import UsageError

__all__ = ["Move", "Verdict", "compare", "comparison", "differences"]

_NOTE: Final = (
    "before and after are medians. better and WORSE: every sample of one run lies beyond all samples of the other."
    " A figure that only one of the records has is left out."
)


class Verdict(StrEnum):
    """What a move means."""

    BETTER = "better"
    WORSE = "WORSE"
    NOISE = "within the noise"
    UNKNOWN = "one sample: unknown"


@dataclass(frozen=True, slots=True)
class Move:
    """One figure that both records have."""

    before: Figure
    after: Figure

    @property
    def change(self) -> float:
        """Of the median, as a fraction of what it was before."""
        was = self.before.spread.median
        return self.after.spread.median / was - 1 if was else 0.0

    @property
    def verdict(self) -> Verdict:
        """A move counts where the samples of the two records do not overlap."""
        if min(len(self.before.samples), len(self.after.samples)) < 2:  # noqa: PLR2004  # one sample has no spread
            return Verdict.UNKNOWN
        up = min(self.after.samples) > max(self.before.samples)
        down = max(self.after.samples) < min(self.before.samples)
        if not up and not down:
            return Verdict.NOISE
        return Verdict.BETTER if up is self.after.more else Verdict.WORSE


def compare(before: Record, after: Record) -> tuple[Move, ...]:
    """Every figure that both have, in the order of the first.

    Raises:
        UsageError: where they are of different benchmarks.
    """
    if before.bench != after.bench:
        raise UsageError(f"A record of {before.bench} cannot be compared with one of {after.bench}: name two of one.")
    others = {one.name: one for one in after.figures}
    return tuple(Move(one, others[one.name]) for one in before.figures if one.name in others)


def differences(before: Record, after: Record) -> Iterator[str]:
    """What differs besides the code: settings, machine, servers, versions."""
    yield from _unequal("", before.settings, after.settings)
    yield from _unequal("", asdict(before.machine), asdict(after.machine))


def comparison(moves: Sequence[Move], other: Sequence[str]) -> str:
    """The comparison for people, in Markdown: the moves, and what else differs."""
    rows = [
        (one.before.name, _median(one.before), _median(one.after), f"{one.change:+.1%}", one.verdict) for one in moves
    ]
    lines = "\n".join(f"- {line}" for line in other) or "- nothing"
    return (
        f"{table(('figure', 'before', 'after', 'change', 'verdict'), rows)}\n\n{_NOTE}\n\nWhat else differs:\n{lines}"
    )


def _unequal(name: str, one: object, other: object) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            yield from _unequal(f"{name}{'.' if name else ''}{key}", one.get(key), other.get(key))
    elif one != other:
        yield f"{name}: {one} before, {other} after"


def _median(figure: Figure) -> str:
    middle = figure.spread.median
    return f"{middle:,.0f} {figure.unit}" if middle >= LARGE else f"{middle:.4g} {figure.unit}"
