"""The rounds of a job: the load, and what is read after it because the table was written to meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from indexer.job.survey import survey
from indexer.model.job import JobState
from indexer.model.key import choose_key, unchanging_key
from indexer.model.ledger import Ledger, Left, whole
from indexer.model.plan import Plan
from indexer.model.round import Round
from indexer.model.selection import Selection, keyed
from indexer.model.slice import even_slices
from indexer.settings import Settings, Strategy
from indexer.source.base import Source

__all__ = ["Freeze", "Rounds"]

Freeze = Callable[[], None]
"""Freezes the next round, unless it would find no row."""

_SLICES_A_READER: Final = 4
"""Slices of a round whose rows nobody counted, for readers to share out where the rows are not spread evenly."""


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
        self._columns = [one.column for one in state.rounds]
        self._ledgers = [Ledger(state.left), *(Ledger(one.left) for one in state.rounds)]

    def into(self, state: JobState) -> JobState:
        """The state with how far each round is at this moment."""
        return replace(state, left=self._ledgers[0].left(), rounds=self._rounds(), since=self._since)

    def _rounds(self) -> tuple[Round, ...]:
        behind = zip(self._columns, self._ledgers[1:], strict=True)
        return tuple(Round(column, ledger.left()) for column, ledger in behind)

    @property
    def ledger(self) -> Ledger:
        """Of the round that is being read."""
        return self._ledgers[-1]

    @property
    def selection(self) -> Selection:
        """What is read in the present round, by its key."""
        if not self._columns:
            return self._plan.selection
        return keyed(self._plan.selection, choose_key(self._plan.selection.table, (self._columns[-1],)))

    @property
    def phase(self) -> str:
        """What the present round is to a user."""
        return "catching up" if self._columns else "loading"

    @property
    def loaded(self) -> tuple[Left, ...]:
        """The slices of the load."""
        return self._ledgers[0].left()

    @property
    def after(self) -> tuple[Left, ...]:
        """The slices of every round after the load."""
        return tuple(part for ledger in self._ledgers[1:] for part in ledger.left())

    @property
    def rows_may_have_moved(self) -> bool:
        """Whether an UPDATE of the key may have moved rows behind the reader: fewer came of a slice than it held.

        Counts of the whole do not tell, for rows that are added make up for those that are lost.
        """
        unchanging = unchanging_key(self._plan.selection.table)
        if unchanging is None or self._plan.selection.key.lead.name in self._plan.selection.table.primary_key:
            return False
        short = any(part.read < part.rows for part in self.loaded)
        return short and unchanging.lead.name not in self._columns

    @property
    def frozen(self) -> int:
        """The rows that the present round was frozen with; 0 where nobody counted them."""
        return sum(part.rows for part in self.ledger.left())

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
        self._begin(by, whole(survey(self._source, by, Strategy.WINDOW, self._settings.page)))

    def _begin(self, selection: Selection, left: tuple[Left, ...]) -> None:
        if left:
            self._columns.append(selection.key.lead.name)
            self._ledgers.append(Ledger(left))
