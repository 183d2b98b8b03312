"""What a run took of the machine. Only the standard library is imported: other products' environments load this."""

from dataclasses import dataclass
from typing import Final, Self

__all__ = ["Usage"]

_NOISE: Final = 0.15
"""The share of the machine's CPU time that others may take before a figure is not trusted."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run took, in seconds.

    Attributes:
        seconds: wall time.
        client: CPU time of the measured process, all threads.
        source: CPU time of CrateDB; None where its process cannot be seen from here.
        target: CPU time of Elasticsearch, likewise; 0 where it takes no part.
        machine: CPU time of everything on this machine, with what its host took away.
    """

    seconds: float
    client: float
    source: float | None
    target: float | None
    machine: float

    @property
    def foreign(self) -> float | None:
        """The share of CPU time, 0 to 1, that went to none of the three; None where one of them is not seen."""
        if self.source is None or self.target is None or not self.machine:
            return None
        return max(0.0, 1 - (self.client + self.source + self.target) / self.machine)

    @property
    def noise(self) -> tuple[str, ...]:
        """Why the figures are not trusted: other programs kept the machine busy. Empty where they did not."""
        loud = self.foreign is not None and self.foreign > _NOISE
        return (f"other programs took {self.foreign:.0%} of the CPU time",) if loud else ()

    def since(self, before: Self) -> "Usage":
        """The difference to an earlier reading."""
        return Usage(
            self.seconds - before.seconds,
            self.client - before.client,
            _difference(self.source, before.source),
            _difference(self.target, before.target),
            self.machine - before.machine,
        )


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
