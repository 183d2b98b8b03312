"""The passes of a job: the load, and what is read after it because the table changed during the load."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from indexer.job.context import JobContext
from indexer.job.slices import slice_table
from indexer.model.job.checkpoint import AckTracker, SliceProgress, unread
from indexer.model.job.plan import Plan
from indexer.model.job.state import JobState, Pass
from indexer.model.paging.slice import even_slices
from indexer.model.table.key import choose_key, immutable_key, key_may_change
from indexer.model.table.selection import Selection, with_key
from indexer.settings import Strategy

__all__ = ["Freeze", "FullRead", "Passes"]

Freeze = Callable[[], None]
"""Freezes the next pass, unless it would find no row."""

_SLICES_A_READER: Final = 4
"""Slices for each reader in a pass whose rows nobody counted, because they may be spread unevenly."""


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
        reread: the numbers of those that were read a second time.
    """

    selection: Selection
    slices: tuple[SliceProgress, ...]
    reread: frozenset[int]


class Passes:
    """How far a job is, with one tracker for each pass; the first pass is the load.

    A pass is frozen as the load is, by windows of a key, and read, checkpointed and resumed in the same way.

    Args:
        context: the source and the limits.
        plan: the job's plan.
        state: the job as it begins, or is resumed.
    """

    def __init__(self, context: JobContext, plan: Plan, state: JobState) -> None:
        self._plan = plan
        self._limits = context.limits
        self._source = context.source
        self.restore(state)

    def restore(self, state: JobState) -> None:
        """Go back to a checkpoint."""
        self._since = state.since
        self._load = AckTracker(state.slices)
        self._later = [_Pass(each.column, AckTracker(each.slices), each.full) for each in state.passes]

    def into(self, state: JobState) -> JobState:
        """The state with the progress of each pass at this moment."""
        passes = tuple(Pass(each.column, each.tracker.slices(), each.full) for each in self._later)
        return replace(state, slices=self.loaded, passes=passes, since=self._since)

    @property
    def tracker(self) -> AckTracker:
        """The tracker of the pass that is being read."""
        return self._later[-1].tracker if self._later else self._load

    @property
    def selection(self) -> Selection:
        """What the current pass reads, by its key."""
        return self._keyed(self._later[-1].column) if self._later else self._plan.selection

    def _keyed(self, column: str) -> Selection:
        return with_key(self._plan.selection, choose_key(self._plan.selection.table, (column,)))

    @property
    def phase(self) -> str:
        """The name of the current pass, for people."""
        return "catching up" if self._later else "loading"

    @property
    def loaded(self) -> tuple[SliceProgress, ...]:
        """The slices of the load."""
        return self._load.slices()

    @property
    def after(self) -> tuple[SliceProgress, ...]:
        """The slices of every pass after the load."""
        return tuple(progress for each in self._later for progress in each.tracker.slices())

    def rows_may_have_moved(self) -> bool:
        """Whether an UPDATE of the key may have moved rows behind the reader, and no full pass was read since.

        Counts alone do not show it: rows that are added make up for those that are missed. But where fewer rows were
        read of a slice than it held, some may have moved; a source without a counter of updates shows no more.
        """
        selection = self._plan.selection
        if not key_may_change(selection.table, selection.key) or any(each.full for each in self._later):
            return False
        if any(progress.read < progress.rows for progress in self.loaded):
            return True
        if self._plan.updates is None:
            return False
        self._source.refresh(selection.table)
        return self._source.update_checksum(selection) != self._plan.updates

    @property
    def newest(self) -> FullRead:
        """The newest reading of all rows."""
        begin = max((place for place, each in enumerate(self._later) if each.full), default=None)
        if begin is None:
            return self._read(self._plan.selection, self.loaded, self._later)
        full = self._later[begin]
        return self._read(self._keyed(full.column), full.tracker.slices(), self._later[begin + 1 :])

    def _read(self, selection: Selection, slices: tuple[SliceProgress, ...], later: Sequence[_Pass]) -> FullRead:
        key_column = selection.key.column.name
        same_key = (each for each in later if each.column == key_column)
        reread = {progress.span: progress for each in same_key for progress in each.tracker.slices()}
        known = (replace(reread.get(each.span, each), number=each.number, rows=each.rows) for each in slices)
        return FullRead(selection, tuple(known), frozenset(each.number for each in slices if each.span in reread))

    @property
    def dead(self) -> int:
        """The documents that Elasticsearch rejected for good."""
        return sum(progress.dead for progress in (*self.loaded, *self.after))

    @property
    def caught_up(self) -> int:
        """The rows that were read after the load."""
        return sum(progress.read for progress in self.after)

    def later(self) -> None:
        """Freeze a pass of the rows at or beyond the highest value of the plan, or of the last such pass.

        Rows with that value are read a second time: more of them may have been added since.
        """
        selection = self._plan.later
        if selection is None:
            return
        self._source.refresh(selection.table)
        bounds = self._source.bounds(selection)
        if bounds.lo is None or bounds.hi is None:
            return
        begin = bounds.lo if self._since is None else self._since
        slices = even_slices(begin - 1, bounds.hi, self._limits.readers * _SLICES_A_READER)
        self._since = max(begin, bounds.hi)
        self._begin(selection, unread(slices))

    def all(self) -> None:
        """Freeze a pass of all rows, by a key that no UPDATE moves a row by, where there is one."""
        selection = self._plan.selection
        self._source.refresh(selection.table)
        unchanging = immutable_key(selection.table)
        by = with_key(selection, unchanging) if unchanging else selection
        self._begin(by, unread(slice_table(self._source, by, Strategy.WINDOW, self._limits.page)), full=True)

    def reread(self, slices: Sequence[SliceProgress]) -> None:
        """Freeze a pass of some slices of the newest reading of all rows."""
        selection = self.newest.selection
        self._source.refresh(selection.table)
        self._begin(selection, tuple(SliceProgress(each.number, (each.span,), each.rows, each.span) for each in slices))

    def _begin(self, selection: Selection, slices: tuple[SliceProgress, ...], *, full: bool = False) -> None:
        if slices:
            self._later.append(_Pass(selection.key.column.name, AckTracker(slices), full))
