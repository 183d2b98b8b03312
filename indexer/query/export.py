"""All matches of a query, however many: exported in bounded memory, and followed as new ones arrive."""

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
from indexer.query.hit import Hit
from indexer.query.query import SearchQuery
from indexer.query.search import HitBody, Search, read_hit
from indexer.sink.errors import translated_errors

__all__ = ["follow", "iter_hits"]

PAGE: Final = 5_000
PAGE_BYTES: Final = 8 * 1024 * 1024
"""The size of a page to aim at; its number of hits is estimated from a sample of the page before."""

_FIRST_PAGE: Final = 500
_SAMPLE: Final = 20

_KEEP_ALIVE: Final = "5m"
"""How long Elasticsearch keeps the point in time after each page."""

LATE: Final = timedelta(seconds=10)
"""How much later than its own time a document may be indexed for `follow` to show it."""

_MAX_REMEMBERED: Final = 100_000
"""The most ids that `follow` remembers as shown."""


def iter_hits(
    search: Search,
    query: SearchQuery,
    *,
    page: int = PAGE,
    highlight: bool = False,
    on_total: Callable[[int], None] | None = None,
) -> Iterator[Hit]:
    """Every document that matches, from a snapshot of the index: later writes do not show.

    Args:
        search: the alias.
        query: what to search for; without a sort, hits come in the cheapest order.
        page: the most hits per request.
        highlight: mark the matches in the texts.
        on_total: called once with the exact number of hits, before the first hit.

    Raises:
        UsageError: for a query that does not suit the index.
        TargetError: if Elasticsearch fails, or loses a shard on the way.
    """
    builder = search.builder(query)
    body: JsonObject = {
        "query": builder.query(),
        "_source": builder.source(),
        "sort": [*(builder.sort() if query.sort else []), {"_shard_doc": "asc"}],
        **({"highlight": builder.highlight()} if highlight else {}),
    }
    with _point_in_time(search) as point:
        yield from _pages(search, query, {**body, "pit": {"id": point, "keep_alive": _KEEP_ALIVE}}, page, on_total)


def _pages(
    search: Search, query: SearchQuery, body: JsonObject, max_size: int, on_total: Callable[[int], None] | None
) -> Iterator[Hit]:
    response = search.send(query, {**body, "size": min(max_size, _FIRST_PAGE), "track_total_hits": True})
    if on_total is not None:
        on_total(response["hits"]["total"]["value"])
    while hits := response["hits"]["hits"]:
        last: list[Json] = hits[-1]["sort"]
        following: JsonObject = {
            "search_after": last,
            "size": _page_size(hits, max_size),
            "track_total_hits": False,
        }
        yield from map(read_hit, hits)
        del response, hits  # or two pages would be in memory at once
        response = search.send(query, {**body, **following})


def _page_size(hits: list[HitBody], max_size: int) -> int:
    """How many hits of this size make a page of `PAGE_BYTES`, estimated from a sample of them."""
    sample = hits[:: max(1, len(hits) // _SAMPLE)]
    return max(1, min(max_size, PAGE_BYTES * len(sample) // len(orjson.dumps(sample))))


@contextmanager
def _point_in_time(search: Search) -> Iterator[str]:
    client = search.cluster.client
    with translated_errors(f"open a point in time of {search.alias}"):
        point: str = client.open_point_in_time(
            index=search.alias, keep_alive=_KEEP_ALIVE, allow_partial_search_results=False
        ).body["id"]
    try:
        yield point
    finally:
        with suppress(TargetError), translated_errors("close the point in time"):
            client.close_point_in_time(id=point)


def follow(search: Search, query: SearchQuery, last: int, stop: Event, pause: float = 1.0) -> Iterator[Hit]:
    """The last matches, then each new one, in the order of their time.

    The alias is resolved anew for each request, so that following goes on when the alias moves to a new index.

    Args:
        search: the alias.
        query: what to search for; its sort is ignored.
        last: how many of the present matches come first.
        stop: ends the iteration once set.
        pause: seconds between two requests.

    Raises:
        UsageError: for a query that does not suit the index, or an index without a known time field.
        TargetError: if Elasticsearch fails.
    """
    follower = _Follower(search, query)
    yield from follower.last_hits(last)
    while not stop.wait(pause):
        yield from follower.new_hits()


class _Follower:
    def __init__(self, search: Search, query: SearchQuery) -> None:
        time = search.builder(query).time("--follow")
        self._search = search
        self._query = replace(query, sort=(time,))
        self._ticks_per_second = 1e9 if search.fields.type(time) == "date_nanos" else 1e3
        self._newest: datetime | None = None
        self._shown: OrderedDict[str, None] = OrderedDict()

    def last_hits(self, count: int) -> list[Hit]:
        """The last matches, oldest first. All others of the last seconds are remembered as shown."""
        newest_first = replace(self._query, sort=tuple(f"-{name}" for name in self._query.sort))
        hits = self._search.page(newest_first, max(1, count), highlight=True).hits
        for hit in hits:
            self._remember(hit)
        for _ in self.new_hits():
            pass
        return [*hits[:count]][::-1]

    def new_hits(self) -> Iterator[Hit]:
        """The matches that have arrived since the last call."""
        late = self._newest - LATE if self._newest else None
        since = max(filter(None, (late, self._query.since)), default=None)
        for hit in iter_hits(self._search, replace(self._query, since=since), highlight=True):
            if hit.id not in self._shown:
                self._remember(hit)
                yield hit

    def _remember(self, hit: Hit) -> None:
        self._shown[hit.id] = None
        if len(self._shown) > _MAX_REMEMBERED:
            self._shown.popitem(last=False)
        if isinstance(hit.sort_values[0], int):  # None for a document without a time
            time = datetime.fromtimestamp(hit.sort_values[0] / self._ticks_per_second, UTC)
            self._newest = max(time, self._newest or time)
