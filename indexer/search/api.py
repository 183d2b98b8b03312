"""`from indexer import search`: the matches of a question, one after another as they are read."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from indexer.search.condition import parse_condition, parse_time
from indexer.search.export import every_hit
from indexer.search.hit import Hit
from indexer.search.query import SearchQuery
from indexer.search.search import LARGEST_PAGE, Search
from indexer.settings import Settings, load_settings
from indexer.sink.client import connect

__all__ = ["search"]


def search(
    query: str = "*",
    *,
    index: str = "logs",
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    where: Sequence[str] = (),
    shorthands: Mapping[str, str] | None = None,
    sort: Sequence[str] = (),
    fields: Sequence[str] = (),
    limit: int | None = None,
    settings: Settings | None = None,
) -> Iterator[Hit]:
    """Search an alias; nothing is asked before the first hit is taken, and a page at a time is in memory.

    ::

        from indexer import search

        for hit in search("timeout AND service:payments", since="2h", limit=20):
            print(hit.source["message"])

    Args:
        query: words in Lucene's query string syntax; `*` for everything.
        index: the alias.
        since: the earliest time: a moment, or as `--since` takes it.
        until: the latest, exclusive.
        where: conditions as `--where` takes them: `["status=500", "latency_ms>300"]`.
        shorthands: values by short-hand: `{"level": "ERROR,WARN"}`.
        sort: fields, with `-` for the largest first; by default the best first where a limit of at most 10,000 is
            given, and otherwise in the cheapest order.
        fields: what is returned of a document; empty for all.
        limit: how many hits at most; None for all.
        settings: how to reach Elasticsearch, if not as the environment and the config file say.

    Yields:
        The hits.

    Raises:
        UsageError: for bad input, or no answer.
        TargetError: where Elasticsearch fails on the way.
    """
    now = datetime.now().astimezone()
    search_query = SearchQuery(
        query=query,
        since=_moment(since, now, "since"),
        until=_moment(until, now, "until"),
        where=tuple(map(parse_condition, where)),
        shorthands={name: tuple(values.split(",")) for name, values in (shorthands or {}).items()},
        sort=tuple(sort),
        fields=tuple(fields),
    )
    with connect((settings or load_settings()).target_access) as cluster:
        asked = Search(cluster, index, now)
        if limit is not None and limit <= LARGEST_PAGE:
            yield from asked.page(search_query, limit).hits
        else:
            yield from islice(every_hit(asked, search_query), limit)


def _moment(given: datetime | str | None, now: datetime, name: str) -> datetime | None:
    return parse_time(given, now, name) if isinstance(given, str) else given
