"""New matches as they arrive, like `tail -f`."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

from indexer.model.question import Question
from indexer.model.search import Hit
from indexer.target.deep import every_hit
from indexer.target.search import Search

__all__ = ["follow"]

LATE: Final = timedelta(seconds=10)
"""By how much a log may be indexed after one of a later time, and is still seen."""

_REMEMBERED: Final = 100_000
"""Ids that were shown and could come again: those of the last seconds, or of the most recent so many."""


def follow(search: Search, question: Question, last: int, stop: Event, pause: float = 1.0) -> Iterator[Hit]:
    """The last matches, then every new one, in the order of their time.

    The alias is asked again and again, so that it goes on where the alias moves to a new index.

    Args:
        search: the alias.
        question: what is looked for; its sort is of no use here.
        last: how many of the matches that are there already come first.
        stop: ends it.
        pause: seconds between two requests.

    Raises:
        Refused: for a question that the index cannot be asked, or an index whose time is not known.
        TargetError: where Elasticsearch fails.
    """
    following = _Following(search, question)
    yield from following.first(last)
    while not stop.wait(pause):
        yield from following.new()


class _Following:
    def __init__(self, search: Search, question: Question) -> None:
        time = search.asking(question).time("--follow")
        self._search = search
        self._question = replace(question, sort=(time,))
        self._second = 1e9 if search.fields.type(time) == "date_nanos" else 1e3
        self._newest: datetime | None = None
        self._seen: OrderedDict[str, None] = OrderedDict()

    def first(self, last: int) -> list[Hit]:
        """The last matches so far, oldest first; all others of the last seconds count as seen."""
        backwards = replace(self._question, sort=tuple(f"-{name}" for name in self._question.sort))
        found = self._search.page(backwards, max(1, last), mark=True).hits
        for hit in found:
            self._note(hit)
        for _ in self.new():
            pass
        return [*found[:last]][::-1]

    def new(self) -> Iterator[Hit]:
        """What has come since."""
        late = self._newest - LATE if self._newest else None
        since = max(filter(None, (late, self._question.since)), default=None)
        for hit in every_hit(self._search, replace(self._question, since=since), mark=True):
            if hit.id not in self._seen:
                self._note(hit)
                yield hit

    def _note(self, hit: Hit) -> None:
        self._seen[hit.id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if isinstance(hit.order[0], int):  # a document without a time has none
            time = datetime.fromtimestamp(hit.order[0] / self._second, UTC)
            self._newest = max(time, self._newest or time)
