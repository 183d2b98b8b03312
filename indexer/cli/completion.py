"""Shell completion of what only the cluster knows: aliases, fields and frequent values.

A completion never fails and never waits long: without a server it offers nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import typer

from indexer.errors import IndexerError
from indexer.settings import load_settings

__all__ = [
    "complete_condition",
    "complete_field",
    "complete_fields",
    "complete_index",
    "complete_query",
    "complete_sort",
]

if TYPE_CHECKING:
    from indexer.query.search import Search


_TIMEOUT: Final = 2.0
"""Seconds that a key press waits for the server."""

_VALUES: Final = 20


def complete_index(ctx: typer.Context, incomplete: str) -> list[str]:
    """The aliases, and the indexes that have none."""
    return _starting(incomplete, _ask(ctx, _aliases))


def complete_field(ctx: typer.Context, incomplete: str) -> list[str]:
    """The fields that can be counted."""
    return _starting(incomplete, _ask(ctx, _countable))


def complete_fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields, several separated by commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _starting(last, _ask(ctx, lambda search: search.fields.definitions))]


def complete_sort(ctx: typer.Context, incomplete: str) -> list[str]:
    """Fields to sort by, with or without a sign."""
    before, comma, last = incomplete.rpartition(",")
    sign = "-" if last.startswith("-") else ""
    return [f"{before}{comma}{sign}{name}" for name in _starting(last.removeprefix("-"), _ask(ctx, _countable))]


def complete_condition(ctx: typer.Context, incomplete: str) -> list[str]:
    """A field, then its frequent values."""
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [f"{found}=" for found in _starting(name, _ask(ctx, lambda search: search.fields.definitions))]
    return [f"{name}={found}" for found in _starting(value, _ask(ctx, lambda search: _frequent(search, name)))]


def complete_query(ctx: typer.Context, args: Sequence[str], incomplete: str) -> list[str]:
    """The value of a shorthand, or `field:` and its frequent values."""
    words = [*(ctx.params.get("query") or []), *args]
    if words and words[-1].startswith("--") and "=" not in words[-1]:
        name = words[-1][2:]
        return _starting(incomplete, _ask(ctx, lambda search: _frequent(search, search.hints.shorthands[name])))
    name, colon, value = incomplete.partition(":")
    if not colon:
        return [f"{found}:" for found in _starting(name, _ask(ctx, lambda search: search.fields.definitions))]
    return [f"{name}:{found}" for found in _starting(value, _ask(ctx, lambda search: _frequent(search, name)))]


def _ask(ctx: typer.Context, question: "Callable[[Search], Iterable[str]]") -> Iterable[str]:
    # A command that is used imports these anyway, if it needs them; one that completes a file's name does not.
    from indexer.query.search import Search  # noqa: PLC0415
    from indexer.sink.client import connect  # noqa: PLC0415

    given = {name: value for name, value in ctx.params.items() if name == "index" or name.startswith("target")}
    try:
        settings = load_settings(**given | {"target_timeout": _TIMEOUT})
        with connect(settings.target_access) as cluster:
            return list(question(Search(cluster, settings.alias)))
    except (IndexerError, KeyError):
        return ()


def _aliases(search: "Search") -> Iterable[str]:
    indexes = search.cluster.client.indices.get_alias().body
    return sorted({name for index, entry in indexes.items() for name in (entry["aliases"] or [index])})


def _countable(search: "Search") -> Iterable[str]:
    return [name for name in search.fields.definitions if _can_count(search, name)]


def _can_count(search: "Search", name: str) -> bool:
    try:
        search.fields.sortable(name, "")
    except IndexerError:
        return False
    return True


def _frequent(search: "Search", name: str) -> Iterable[str]:
    from indexer.query.query import SearchQuery  # noqa: PLC0415  # as above
    from indexer.query.summary import SummaryRequest  # noqa: PLC0415

    exact = search.fields.keyword(name) or name
    return [
        str(value) for value, _ in search.summary(SearchQuery(), SummaryRequest((exact,), top_size=_VALUES)).top[exact]
    ]


def _starting(prefix: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(prefix)]
