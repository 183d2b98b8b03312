"""The rounds of a job: the load, and what is read after it because the table was written to meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from indexer.job.survey import survey
from indexer.model.job import JobState
from indexer.model.key import choose_key, may_move, unchanging_key
from indexer.model.ledger import Ledger, Left, whole
from indexer.model.plan import Plan
from indexer.model.round import Round
from indexer.model.selection import Selection, keyed
from indexer.model.slice import even_slices
from indexer.settings import Settings, Strategy
from indexer.source.base import Source

__all__ = ["Freeze", "Reading", "Rounds"]

Freeze = Callable[[], None]
"""Freezes the next round, unless it would find no row."""

_SLICES_A_READER: Final = 4
"""Slices of a round whose rows nobody counted, for readers to share out where the rows are not spread evenly."""


class _Round(NamedTuple):
    """A round after the load: see `indexer.model.round.Round`."""

    column: str
    ledger: Ledger
    whole: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of all rows.

    Attributes:
        selection: what was read, by which key.
        slices: each as it was last read, with the rows that were counted when this reading began.
        again: the numbers of those that were read once more.
    """

    selection: Selection
    slices: tuple[Left, ...]
    again: frozenset[int]


class Rounds:
    """How far a job is: each ledger knows of one round, the first of the load.

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
        self._load = Ledger(state.left)
        self._later = [_Round(one.column, Ledger(one.left), one.whole) for one in state.rounds]

    def into(self, state: JobState) -> JobState:
        """The state with how far each round is at this moment."""
        rounds = tuple(Round(one.column, one.ledger.left(), one.whole) for one in self._later)
        return replace(state, left=self.loaded, rounds=rounds, since=self._since)

    @property
    def ledger(self) -> Ledger:
        """Of the round that is being read."""
        return self._later[-1].ledger if self._later else self._load

    @property
    def selection(self) -> Selection:
        """What is read in the present round, by its key."""
        return self._keyed(self._later[-1].column) if self._later else self._plan.selection

    def _keyed(self, column: str) -> Selection:
        return keyed(self._plan.selection, choose_key(self._plan.selection.table, (column,)))

    @property
    def phase(self) -> str:
        """What the present round is to a user."""
        return "catching up" if self._later else "loading"

    @property
    def loaded(self) -> tuple[Left, ...]:
        """The slices of the load."""
        return self._load.left()

    @property
    def after(self) -> tuple[Left, ...]:
        """The slices of every round after the load."""
        return tuple(part for one in self._later for part in one.ledger.left())

    def rows_may_have_moved(self) -> bool:
        """Whether an UPDATE of the key may have moved rows behind the reader, and they were not looked for since.

        Counts alone do not tell, for rows that are added make up for those that are lost; but where fewer rows came of
        a slice than it held, they may have moved, and of a source that cannot tell of updates there is no more to ask.
        """
        selection = self._plan.selection
        if not may_move(selection.table, selection.key) or any(one.whole for one in self._later):
            return False
        if any(part.read < part.rows for part in self.loaded):
            return True
        if self._plan.updates is None:
            return False
        self._source.refresh(selection.table)
        return self._source.updates(selection) != self._plan.updates

    @property
    def newest(self) -> Reading:
        """The newest reading of all rows."""
        begin = max((place for place, one in enumerate(self._later) if one.whole), default=None)
        if begin is None:
            return self._read(self._plan.selection, self.loaded, self._later)
        whole = self._later[begin]
        return self._read(self._keyed(whole.column), whole.ledger.left(), self._later[begin + 1 :])

    def _read(self, selection: Selection, slices: tuple[Left, ...], later: Sequence[_Round]) -> Reading:
        lead = selection.key.lead.name
        again = {part.span: part for one in later if one.column == lead for part in one.ledger.left()}
        known = (replace(again.get(part.span, part), number=part.number, rows=part.rows) for part in slices)
        return Reading(selection, tuple(known), frozenset(part.number for part in slices if part.span in again))

    @property
    def dead(self) -> int:
        """The documents that Elasticsearch rejected for good."""
        return sum(part.dead for part in (*self.loaded, *self.after))

    @property
    def caught_up(self) -> int:
        """The rows that were read after the load."""
        return sum(part.read for part in self.after)

    def later(self) -> None:
        """Freeze a round of the rows at or beyond the highest value of the plan, or of the last such round.

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
        self._begin(selection, whole(slices))

    def all(self) -> None:
        """Freeze a round of all rows, by a key that no UPDATE moves a row by, where there is one."""
        selection = self._plan.selection
        self._source.refresh(selection.table)
        unchanging = unchanging_key(selection.table)
        by = keyed(selection, unchanging) if unchanging else selection
        self._begin(by, whole(survey(self._source, by, Strategy.WINDOW, self._settings.page)), whole=True)

    def again(self, slices: Sequence[Left]) -> None:
        """Freeze a round of slices of the newest reading of all rows."""
        selection = self.newest.selection
        self._source.refresh(selection.table)
        self._begin(selection, tuple(Left(part.number, (part.span,), part.rows, part.span) for part in slices))

    def _begin(self, selection: Selection, left: tuple[Left, ...], *, whole: bool = False) -> None:
        if left:
            self._later.append(_Round(selection.key.lead.name, Ledger(left), whole))
