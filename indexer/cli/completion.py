"""Shell completion of what only the cluster knows: aliases, fields and frequent values.

A completion never fails and never waits long: without a server there is nothing to offer.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from indexer.cli.options import of_target
from indexer.errors import IndexerError

__all__ = [
    "complete_condition",
    "complete_field",
    "complete_fields",
    "complete_index",
    "complete_query",
    "complete_sort",
]

if TYPE_CHECKING:
    from indexer.search.search import Search


_WAIT: Final = 2.0
"""Seconds that a key press may wait for the server."""

_VALUES: Final = 20
Result = TypeVar("Result")


def complete_index(ctx: typer.Context, incomplete: str) -> list[str]:
    """The aliases, and the indexes that have none."""
    return _begin(incomplete, _asked(ctx, _aliases))


def complete_field(ctx: typer.Context, incomplete: str) -> list[str]:
    """The fields that can be counted."""
    return _begin(incomplete, _asked(ctx, _countable))


def complete_fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields, several separated by commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _begin(last, _asked(ctx, lambda search: search.fields.definitions))]


def complete_sort(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields to sort by, with or without a sign."""
    before, comma, last = incomplete.rpartition(",")
    sign = "-" if last.startswith("-") else ""
    return [f"{before}{comma}{sign}{name}" for name in _begin(last.removeprefix("-"), _asked(ctx, _countable))]


def complete_condition(ctx: typer.Context, incomplete: str) -> list[str]:
    """A field, then its frequent values."""
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [f"{found}=" for found in _begin(name, _asked(ctx, lambda search: search.fields.definitions))]
    return [f"{name}={found}" for found in _begin(value, _asked(ctx, lambda search: _frequent(search, name)))]


def complete_query(ctx: typer.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """The value of a short-hand, or `field:` and its frequent values."""
    words = [*(ctx.params.get("query") or []), *args]
    if words and words[-1].startswith("--") and "=" not in words[-1]:
        name = words[-1][2:]
        return _begin(incomplete, _asked(ctx, lambda search: _frequent(search, search.hints.shorthands[name])))
    name, colon, value = incomplete.partition(":")
    if not colon:
        return [f"{found}:" for found in _begin(name, _asked(ctx, lambda search: search.fields.definitions))]
    return [f"{name}:{found}" for found in _begin(value, _asked(ctx, lambda search: _frequent(search, name)))]


def _asked(ctx: typer.Context, ask: "Callable[[Search], Iterable[str]]") -> Iterable[str]:
    from indexer.search.search import Search
    from indexer.settings import load_settings
    from indexer.sink.client import connect

    try:
        given = {**of_target(ctx.params), "index": ctx.params.get("index"), "target_timeout": _WAIT}
        settings = load_settings(**given)
        with connect(settings.target_access) as cluster:
            return list(ask(Search(cluster, settings.index or "logs")))
    except (IndexerError, KeyError):
        return ()


def _aliases(search: "Search") -> Iterable[str]:
    found = search.cluster.client.indices.get_alias().body
    return sorted({name for complete_index, one in found.items() for name in (one["aliases"] or [complete_index])})


def _countable(search: "Search") -> Iterable[str]:
    return [name for name in search.fields.definitions if _can_count(search, name)]


def _can_count(search: "Search", name: str) -> bool:
    try:
        search.fields.exact(name, "")
    except IndexerError:
        return False
    return True


def _frequent(search: "Search", name: str) -> Iterable[str]:
    from indexer.search.query import SearchQuery
    from indexer.search.summary import SummaryRequest

    exact = search.fields.keyword(name) or name
    return [
        str(value) for value, _ in search.summary(SearchQuery(), SummaryRequest((exact,), count=_VALUES)).top[exact]
    ]


def _begin(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
