"""Every match, however many: by a point in time and `search_after`, in bounded memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import orjson

from indexer.errors import TargetError
from indexer.model.json import Json, JsonObject
from indexer.model.question import Question
from indexer.model.search import Hit
from indexer.target.failure import answered
from indexer.target.search import HitAnswer, Search, read_hit

__all__ = ["every_hit"]

PAGE: Final = 5_000
PAGE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a page to aim at: what the next asks for is told by a sample of the one before."""

_FIRST: Final = 500
_SAMPLE: Final = 20

_KEEP: Final = "5m"
"""How long Elasticsearch keeps the point in time after each page."""


def every_hit(
    search: Search,
    question: Question,
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
        Refused: for a question that the index cannot be asked.
        TargetError: where Elasticsearch fails, or a shard is lost on the way.
    """
    asking = search.asking(question)
    body: JsonObject = {
        "query": asking.query(),
        "_source": asking.source(),
        "sort": [*_sort(search, question), {"_shard_doc": "asc"}],
        **({"highlight": asking.highlight()} if mark else {}),
    }
    with _point_in_time(search) as point:
        yield from _pages(search, question, {**body, "pit": {"id": point, "keep_alive": _KEEP}}, page, begin)


def _sort(search: Search, question: Question) -> list[Json]:
    return search.asking(question).sort() if question.sort else []


def _pages(
    search: Search, question: Question, body: JsonObject, most: int, begin: Callable[[int], None] | None
) -> Iterator[Hit]:
    size = min(most, _FIRST)
    answer = search.ask(question, {**body, "size": size, "track_total_hits": True})
    if begin is not None:
        begin(answer["hits"]["total"]["value"])
    while hits := answer["hits"]["hits"]:
        size = _fitting(hits, most)
        place: JsonObject = {"search_after": hits[-1]["sort"], "size": size, "track_total_hits": False}
        yield from map(read_hit, hits)
        del answer, hits  # or two pages would be in memory at once
        answer = search.ask(question, {**body, **place})


def _fitting(hits: list[HitAnswer], most: int) -> int:
    """How many such hits make a page of `PAGE_BYTES`, by a sample of them."""
    sample = hits[:: max(1, len(hits) // _SAMPLE)]
    return max(1, min(most, PAGE_BYTES * len(sample) // len(orjson.dumps(sample))))


@contextmanager
def _point_in_time(search: Search) -> Iterator[str]:
    client = search.cluster.client
    with answered(f"open a point in time of {search.alias}"):
        point: str = client.open_point_in_time(
            index=search.alias, keep_alive=_KEEP, allow_partial_search_results=False
        ).body["id"]
    try:
        yield point
    finally:
        with suppress(TargetError), answered("close the point in time"):
            client.close_point_in_time(id=point)
