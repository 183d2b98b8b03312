"""`from indexer import search`: the hits of a query, as an iterator."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from indexer.query.condition import parse_condition
from indexer.query.export import iter_hits
from indexer.query.hit import Hit
from indexer.query.moment import parse_time
from indexer.query.query import SearchQuery
from indexer.query.search import MAX_PAGE, Search
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
    """Search an alias. No request is sent before the first hit is taken, and one page at a time is in memory.

    ::

        from indexer import search

        for hit in search("timeout AND service:payments", since="2h", limit=20):
            print(hit.source["message"])

    Args:
        query: words in Lucene's query string syntax; `*` for everything.
        index: the alias.
        since: the earliest time, as a datetime or as `--since` takes it.
        until: the latest time, exclusive, in the same forms.
        where: conditions as `--where` takes them: `["status=500", "latency_ms>300"]`.
        shorthands: values by shorthand: `{"level": "ERROR,WARN"}`.
        sort: fields, with `-` for descending. By default the best match comes first with a limit of at most 10,000, and
            otherwise hits come in the cheapest order.
        fields: the fields of a document to return; empty for all.
        limit: the most hits; None for all.
        settings: how to reach Elasticsearch; by default from the environment and the configuration file.

    Yields:
        The hits.

    Raises:
        UsageError: for bad input, or if Elasticsearch does not answer.
        TargetError: if Elasticsearch fails on the way.
    """
    now = datetime.now().astimezone()
    search_query = SearchQuery(
        query_string=query,
        since=_moment(since, now, "since"),
        until=_moment(until, now, "until"),
        where=tuple(map(parse_condition, where)),
        shorthands={name: tuple(values.split(",")) for name, values in (shorthands or {}).items()},
        sort=tuple(sort),
        fields=tuple(fields),
    )
    with connect((settings or load_settings()).target_access) as cluster:
        alias = Search(cluster, index, now)
        if limit is not None and limit <= MAX_PAGE:
            yield from alias.page(search_query, limit).hits
        else:
            yield from islice(iter_hits(alias, search_query), limit)


def _moment(given: datetime | str | None, now: datetime, name: str) -> datetime | None:
    return parse_time(given, now, name) if isinstance(given, str) else given
