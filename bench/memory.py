"""Memory: the most that each way holds, by the width of a row, beside what `reindex` was allowed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.charts import Chart, Kind, Series
from bench.child import ChildFailed
from bench.figures import Goal, Spread, spread
from bench.machine import Machine, look
from bench.record import Figure
from bench.rounds import run_way, sweep
from bench.run import Run, Task, Way
from bench.servers import Urls
from bench.wide import COLUMNS, make_wide

__all__ = ["MIB", "MOST_ROWS", "WIDTHS", "Held", "Memory", "measure"]

MIB: Final = 1 << 20

WIDTHS: Final = (100, 1_000, 10_000, 100_000, 1_000_000)

_CONSTANT: Final = 120 * MIB
"""What Python, the packages and the largest single answer may take beside the bytes in flight."""

_WAYS: Final = (Way.REINDEX, Way.BULK, Way.TUNED, Way.PARALLEL, Way.OFFSET_BULK, Way.STAND_IN)
MOST_ROWS: Final = 300_000
"""Of a table: narrow rows end here, for the way that is slowest moves some thousands a second."""


@dataclass(frozen=True, slots=True)
class Held:
    """One way at one width, once.

    Attributes:
        way: which.
        width: bytes of a row.
        rows: of the table.
        run: what was measured; None where the way failed.
        error: why it failed, or None.
    """

    way: Way
    width: int
    rows: int
    run: Run | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What was measured.

    Attributes:
        machine: where.
        allowed: bytes of `--memory`.
        held: every run.
    """

    machine: Machine
    allowed: int
    held: tuple[Held, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """In their order."""
        return tuple(dict.fromkeys(one.width for one in self.held))

    @property
    def ways(self) -> tuple[Way, ...]:
        """In their order."""
        return tuple(dict.fromkeys(one.way for one in self.held))

    def peaks(self, way: Way, width: int) -> tuple[float, ...]:
        """MiB of each run that ended well."""
        return tuple(one.run.peak_rss / MIB for one in self.held if one.run and one.way is way and one.width == width)

    def error(self, way: Way, width: int) -> str | None:
        """Why the way failed at this width, the first time."""
        return next((one.error for one in self.held if one.error and one.way is way and one.width == width), None)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The peak of each way at each width."""
        return tuple(
            Figure(f"{way}, rows of {width:,} bytes, peak", "MiB", peaks)
            for way in self.ways
            for width in self.widths
            if (peaks := self.peaks(way, width))
        )

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Peak over width."""
        series = [Series(str(way), tuple(self._curve(way))) for way in self.ways]
        limit = Series("--memory", tuple((width, self.allowed / MIB) for width in self.widths))
        title = "Most memory held by the client, by the width of a row"
        return (Chart("memory", title, Kind.LINES, "bytes a row", "MiB", (*series, limit), log_y=True),)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What bounded means: whatever the width, `--memory` and a constant."""
        peaks = [spread(found) for width in self.widths if (found := self.peaks(Way.REINDEX, width))]
        worst = max(peaks, key=lambda one: one.median, default=Spread(0, 0, 0))
        most = (self.allowed + _CONSTANT) / MIB
        return (
            Goal(f"reindex, peak MiB at the worst width, of --memory plus {_CONSTANT >> 20}", most, worst, most=True),
        )

    @property
    def doubts(self) -> tuple[str, ...]:
        """Runs of `reindex` that did not end well or whole; noise does not move a peak."""
        return tuple(
            f"reindex, rows of {one.width:,} bytes: {one.error or 'it is not complete'}"
            for one in self.held
            if one.way is Way.REINDEX and not (one.run and one.run.complete(one.rows))
        )

    def _curve(self, way: Way) -> Iterator[tuple[float, float]]:
        for width in self.widths:
            if peaks := self.peaks(way, width):
                yield width, spread(peaks).median


def measure(
    urls: Urls, widths: Sequence[int], total: int, allowed: int, repeat: int, say: Callable[[str], None]
) -> Memory:
    """Move tables of rows of each width in each way.

    Args:
        urls: the servers.
        widths: bytes of a row.
        total: bytes of each table; narrow rows end at `MOST_ROWS`.
        allowed: bytes of `--memory`.
        repeat: how many passes of all ways.
        say: is told what goes on.
    """
    held: list[Held] = []
    for width in widths:
        rows = max(1, min(MOST_ROWS, total // width))
        table = make_wide(urls.source, width, rows)
        options = ("--memory", str(allowed))
        task = Task(Way.REINDEX, urls.source, urls.target, str(table), "", table.name, "", COLUMNS, options)
        sweep(task)
        for way in _WAYS * repeat:
            held.append(_held(task, way, width, rows))
            say(f"{rows:,} rows of {width:,} bytes, {way}: {_told(held[-1])}.")
        sweep(task)
    return Memory(look(urls.source, urls.target), allowed, tuple(held))


def _held(task: Task, way: Way, width: int, rows: int) -> Held:
    try:
        return Held(way, width, rows, run_way(task.by(way)))
    except ChildFailed as error:
        return Held(way, width, rows, None, error.short)


def _told(one: Held) -> str:
    return f"{one.run.peak_rss / MIB:,.0f} MiB" if one.run else f"failed: {one.error}"
