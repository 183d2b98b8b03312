"""The passes of a job: the load, and what is read after it because the table was written to meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from indexer.job.planner import slice_table
from indexer.model.job.checkpoint import AckTracker, SliceProgress, unread
from indexer.model.job.plan import Plan
from indexer.model.job.state import JobState, Pass
from indexer.model.paging.slice import even_slices
from indexer.model.table.key import choose_key, immutable_key, key_may_change
from indexer.model.table.selection import Selection, with_key
from indexer.settings import Settings, Strategy
from indexer.source.protocol import Source

__all__ = ["Freeze", "FullRead", "Passes"]

Freeze = Callable[[], None]
"""Freezes the next pass, unless it would find no row."""

_SLICES_A_READER: Final = 4
"""Slices of a pass whose rows nobody counted, for readers to share out where the rows are not spread evenly."""


class _Pass(NamedTuple):
    """A pass after the load: see `indexer.model.job.state.Pass`."""

    column: str
    tracker: AckTracker
    full: bool


@dataclass(frozen=True, slots=True)
class FullRead:
    """A reading of all rows.

    Attributes:
        selection: what was read, by which key.
        slices: each as it was last read, with the rows that were counted when this reading began.
        again: the numbers of those that were read once more.
    """

    selection: Selection
    slices: tuple[SliceProgress, ...]
    again: frozenset[int]


class Passes:
    """How far a job is: each tracker knows of one pass, the first of the load.

    A round is frozen as the load is, by windows of a key, and read, checkpointed and resumed in the same way.

    Args:
        plan: the job's plan.
        settings: page and readers.
        source: where the rows are.
        state: the job as it begins, or goes on.
    """

    def __init__(self, plan: Plan, settings: Settings, source: Source, state: JobState) -> None:
        self._plan = plan
        self._settings = settings
        self._source = source
        self.restore(state)

    def restore(self, state: JobState) -> None:
        """Go back to a checkpoint."""
        self._since = state.since
        self._load = AckTracker(state.slices)
        self._later = [_Pass(one.column, AckTracker(one.slices), one.full) for one in state.passes]

    def into(self, state: JobState) -> JobState:
        """The state with how far each pass is at this moment."""
        passes = tuple(Pass(one.column, one.tracker.slices(), one.full) for one in self._later)
        return replace(state, slices=self.loaded, passes=passes, since=self._since)

    @property
    def tracker(self) -> AckTracker:
        """Of the pass that is being read."""
        return self._later[-1].tracker if self._later else self._load

    @property
    def selection(self) -> Selection:
        """What is read in the present pass, by its key."""
        return self._keyed(self._later[-1].column) if self._later else self._plan.selection

    def _keyed(self, column: str) -> Selection:
        return with_key(self._plan.selection, choose_key(self._plan.selection.table, (column,)))

    @property
    def phase(self) -> str:
        """What the present pass is to a user."""
        return "catching up" if self._later else "loading"

    @property
    def loaded(self) -> tuple[SliceProgress, ...]:
        """The slices of the load."""
        return self._load.slices()

    @property
    def after(self) -> tuple[SliceProgress, ...]:
        """The slices of every pass after the load."""
        return tuple(part for one in self._later for part in one.tracker.slices())

    def rows_may_have_moved(self) -> bool:
        """Whether an UPDATE of the key may have moved rows behind the reader, and they were not looked for since.

        Counts alone do not tell, for rows that are added make up for those that are lost; but where fewer rows came of
        a slice than it held, they may have moved, and of a source that cannot tell of updates there is no more to ask.
        """
        selection = self._plan.selection
        if not key_may_change(selection.table, selection.key) or any(one.full for one in self._later):
            return False
        if any(part.read < part.rows for part in self.loaded):
            return True
        if self._plan.updates is None:
            return False
        self._source.refresh(selection.table)
        return self._source.updates(selection) != self._plan.updates

    @property
    def newest(self) -> FullRead:
        """The newest reading of all rows."""
        begin = max((place for place, one in enumerate(self._later) if one.full), default=None)
        if begin is None:
            return self._read(self._plan.selection, self.loaded, self._later)
        unread = self._later[begin]
        return self._read(self._keyed(unread.column), unread.tracker.slices(), self._later[begin + 1 :])

    def _read(self, selection: Selection, slices: tuple[SliceProgress, ...], later: Sequence[_Pass]) -> FullRead:
        key_column = selection.key.column.name
        again = {part.span: part for one in later if one.column == key_column for part in one.tracker.slices()}
        known = (replace(again.get(part.span, part), number=part.number, rows=part.rows) for part in slices)
        return FullRead(selection, tuple(known), frozenset(part.number for part in slices if part.span in again))

    @property
    def dead(self) -> int:
        """The documents that Elasticsearch rejected for good."""
        return sum(part.dead for part in (*self.loaded, *self.after))

    @property
    def caught_up(self) -> int:
        """The rows that were read after the load."""
        return sum(part.read for part in self.after)

    def later(self) -> None:
        """Freeze a pass of the rows at or beyond the highest value of the plan, or of the last such round.

        That value comes again: rows that share it may have been added since.
        """
        selection = self._plan.later
        if selection is None:
            return
        self._source.refresh(selection.table)
        bounds = self._source.bounds(selection)
        if bounds.lo is None or bounds.hi is None:
            return
        begin = bounds.lo if self._since is None else self._since
        slices = even_slices(begin - 1, bounds.hi, self._settings.readers * _SLICES_A_READER)
        self._since = max(begin, bounds.hi)
        self._begin(selection, unread(slices))

    def all(self) -> None:
        """Freeze a pass of all rows, by a key that no UPDATE moves a row by, where there is one."""
        selection = self._plan.selection
        self._source.refresh(selection.table)
        unchanging = immutable_key(selection.table)
        by = with_key(selection, unchanging) if unchanging else selection
        self._begin(by, unread(slice_table(self._source, by, Strategy.WINDOW, self._settings.page)), full=True)

    def again(self, slices: Sequence[SliceProgress]) -> None:
        """Freeze a pass of slices of the newest reading of all rows."""
        selection = self.newest.selection
        self._source.refresh(selection.table)
        self._begin(selection, tuple(SliceProgress(part.number, (part.span,), part.rows, part.span) for part in slices))

    def _begin(self, selection: Selection, slices: tuple[SliceProgress, ...], *, full: bool = False) -> None:
        if slices:
            self._later.append(_Pass(selection.key.column.name, AckTracker(slices), full))
