"""Reading the rows of dead letters again, by what makes their `_id`: many in one query, in bounded memory."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from indexer.errors import IndexerError, ShardsAway, SourceUnavailable, TooMuchAtOnce
from indexer.job.shards import lacking
from indexer.model.json import Json, Row
from indexer.model.page_size import PageSize
from indexer.model.patience import Patience
from indexer.model.table import Table
from indexer.source.base import Page, Reader, Source

__all__ = ["Rereading", "Wanted"]

Wanted = tuple[str, tuple[Json, ...]]
"""A row to read: its `_id`, and the values that make it."""


@dataclass(slots=True)
class Rereading:
    """One connection that reads rows again.

    Attributes:
        source: where the rows are.
        table: their table.
        reader: the connection.
        size: decides how many rows are asked for at once.
        patience: how long the source may stay away.
        id: makes a row's `_id`.
        waiting: told the reason of each wait.
    """

    source: Source
    table: Table
    reader: Reader
    size: PageSize
    patience: Patience
    id: Callable[[Row], str]
    waiting: Callable[[str], None]

    def rows(self, wanted: Iterable[Wanted]) -> Iterator[tuple[Sequence[str], Sequence[Row]]]:
        """Some of the `_id`s that were asked for, and the rows of those that the source has: until all were asked for.

        Raises:
            ShardsAway: where the source cannot be read whole within patience: what is missing need not be gone.
            SourceError: where the source fails.
        """
        rest = iter(wanted)
        todo: deque[Wanted] = deque()
        while True:
            todo.extend(islice(rest, max(0, self.size.limit - len(todo))))
            if not todo:
                return
            some = list(islice(todo, self.size.limit))
            page = self._tried(some)
            if page is not None:
                for _ in some:
                    todo.popleft()
                yield [id_ for id_, _ in some], page.rows

    def _tried(self, some: Sequence[Wanted]) -> Page | None:
        """The rows, or None where they are to be asked for again: fewer, or later."""
        try:
            page = self._asked(some)
        except (SourceUnavailable, TooMuchAtOnce) as error:
            self._recover(error)
            return None
        self.patience.calm()
        self.size.saw(len(page.rows), page.size)
        return page

    def _asked(self, some: Sequence[Wanted]) -> Page:
        # A partitioned table answers without the rows of shards that are away, and without an error.
        self._refuse_absent()
        page = self.reader.rows([values for _, values in some], self.size.most)
        if {id_ for id_, _ in some} - set(map(self.id, page.rows)):
            self._refuse_absent()
        return page

    def _refuse_absent(self) -> None:
        absent = self.source.absent(self.table)
        if absent:
            raise ShardsAway(f"{lacking(self.table, absent)}; bring its nodes back and run the same command again.")

    def _recover(self, error: IndexerError) -> None:
        if isinstance(error, TooMuchAtOnce) and self.size.too_much():
            return
        pause = self.patience.pause()
        if pause is None:
            raise error
        trouble = "away" if isinstance(error, SourceUnavailable) else "short of memory"
        self.waiting(f"the source is {trouble} ({error}), asking again")
        time.sleep(pause)
