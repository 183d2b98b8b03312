"""Comparing two records of one benchmark: what moved, and whether by more than its own noise. Pure."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median

from bench.record import Figure, Record
from indexer.errors import UsageError

__all__ = ["Move", "Verdict", "compare", "differences"]


class Verdict(StrEnum):
    """What is to be thought of a move."""

    BETTER = "better"
    WORSE = "WORSE"
    NOISE = "within the noise"
    UNKNOWN = "one sample: unknown"


@dataclass(frozen=True, slots=True)
class Move:
    """One figure of both records.

    Attributes:
        before: in the first.
        after: in the second.
    """

    before: Figure
    after: Figure

    @property
    def change(self) -> float:
        """Of the median, in parts of what it was before."""
        was = median(self.before.samples)
        return median(self.after.samples) / was - 1 if was else 0.0

    @property
    def verdict(self) -> Verdict:
        """A move counts where no sample of one record lies among those of the other."""
        if min(len(self.before.samples), len(self.after.samples)) < 2:  # noqa: PLR2004  # one sample has no spread
            return Verdict.UNKNOWN
        up = min(self.after.samples) > max(self.before.samples)
        down = max(self.after.samples) < min(self.before.samples)
        if not up and not down:
            return Verdict.NOISE
        return Verdict.BETTER if up is self.after.more else Verdict.WORSE


def compare(before: Record, after: Record) -> tuple[Move, ...]:
    """Every figure that both have, in the first one's order.

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


def _unequal(name: str, one: object, other: object) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            yield from _unequal(f"{name}{'.' if name else ''}{key}", one.get(key), other.get(key))
    elif one != other:
        yield f"{name}: {one} before, {other} after"
