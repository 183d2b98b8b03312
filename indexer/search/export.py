"""Every match, however many: by a point in time and `search_after`, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import orjson

from indexer.errors import TargetError
from indexer.model.json import Json, JsonObject
from indexer.search.hit import Hit
from indexer.search.query import SearchQuery
from indexer.search.search import HitAnswer, Search, read_hit
from indexer.sink.errors import translated_errors

__all__ = ["every_hit", "follow"]

PAGE: Final = 5_000
PAGE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a page to aim at: what the next asks for is told by a sample of the one before."""

_FIRST: Final = 500
_SAMPLE: Final = 20

_KEEP: Final = "5m"
"""How long Elasticsearch keeps the point in time after each page."""


def every_hit(
    search: Search,
    search_query: SearchQuery,
    *,
    page: int = PAGE,
    mark: bool = False,
    begin: Callable[[int], None] | None = None,
) -> Iterator[Hit]:
    """Every document that matches, as the index is now; what is written meanwhile is not seen.

    Args:
        search: the alias.
        question: what is looked for; without a sort, the hits come in the cheapest order.
        page: hits a request at most.
        mark: mark what matched in the texts.
        begin: called once with the exact number of hits, before the first.

    Raises:
        UsageError: for a question that the index cannot be asked.
        TargetError: where Elasticsearch fails, or a shard is lost on the way.
    """
    builder = search.builder(search_query)
    body: JsonObject = {
        "query": builder.query(),
        "_source": builder.source(),
        "sort": [*_sort(search, search_query), {"_shard_doc": "asc"}],
        **({"highlight": builder.highlight()} if mark else {}),
    }
    with _point_in_time(search) as point:
        yield from _pages(search, search_query, {**body, "pit": {"id": point, "keep_alive": _KEEP}}, page, begin)


def _sort(search: Search, search_query: SearchQuery) -> list[Json]:
    return search.builder(search_query).sort() if search_query.sort else []


def _pages(
    search: Search, search_query: SearchQuery, body: JsonObject, most: int, begin: Callable[[int], None] | None
) -> Iterator[Hit]:
    size = min(most, _FIRST)
    answer = search.ask(search_query, {**body, "size": size, "track_total_hits": True})
    if begin is not None:
        begin(answer["hits"]["total"]["value"])
    while hits := answer["hits"]["hits"]:
        size = _fitting(hits, most)
        place: JsonObject = {"search_after": hits[-1]["sort"], "size": size, "track_total_hits": False}
        yield from map(read_hit, hits)
        del answer, hits  # or two pages would be in memory at once
        answer = search.ask(search_query, {**body, **place})


def _fitting(hits: list[HitAnswer], most: int) -> int:
    """How many such hits make a page of `PAGE_BYTES`, by a sample of them."""
    sample = hits[:: max(1, len(hits) // _SAMPLE)]
    return max(1, min(most, PAGE_BYTES * len(sample) // len(orjson.dumps(sample))))


@contextmanager
def _point_in_time(search: Search) -> Iterator[str]:
    client = search.cluster.client
    with translated_errors(f"open a point in time of {search.alias}"):
        point: str = client.open_point_in_time(
            index=search.alias, keep_alive=_KEEP, allow_partial_search_results=False
        ).body["id"]
    try:
        yield point
    finally:
        with suppress(TargetError), translated_errors("close the point in time"):
            client.close_point_in_time(id=point)


LATE: Final = timedelta(seconds=10)
"""By how much a log may be indexed after one of a later time, and is still seen."""

_REMEMBERED: Final = 100_000
"""Ids that were shown and could come again: those of the last seconds, or of the most recent so many."""


def follow(search: Search, search_query: SearchQuery, last: int, stop: Event, pause: float = 1.0) -> Iterator[Hit]:
    """The last matches, then every new one, in the order of their time.

    The alias is asked again and again, so that it goes on where the alias moves to a new index.

    Args:
        search: the alias.
        question: what is looked for; its sort is of no use here.
        last: how many of the matches that are there already come first.
        stop: ends it.
        pause: seconds between two requests.

    Raises:
        UsageError: for a question that the index cannot be asked, or an index whose time is not known.
        TargetError: where Elasticsearch fails.
    """
    following = _Following(search, search_query)
    yield from following.first(last)
    while not stop.wait(pause):
        yield from following.new()


class _Following:
    def __init__(self, search: Search, search_query: SearchQuery) -> None:
        time = search.builder(search_query).time("--follow")
        self._search = search
        self._question = replace(search_query, sort=(time,))
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
