"""Names of indexes and aliases: which are allowed, and which this product makes."""

import re
from datetime import UTC, datetime
from typing import TypedDict

from indexer.errors import UsageError
from indexer.sink.client import Cluster
from indexer.sink.errors import translated_errors

__all__ = [
    "creation_time",
    "index_name",
    "is_index_name",
    "loading_alias",
    "matches_pattern",
    "matching_templates",
    "refuse_name",
]

_FORBIDDEN = re.compile(r'[\s"*\\/<>|,?#:]')
_LONGEST = 200
"""Bytes of an alias: an index's name may have 255, and behind it come a time and the loading alias's suffix."""

_TIME = "%Y%m%d_%H%M%S"

_DATA_STREAMS = ("logs-*-*", "metrics-*-*", "synthetics-*-*", "traces-*-*")
"""A full Elasticsearch ships index templates for these that allow data streams only (docs/servers.md)."""


def loading_alias(index: str) -> str:
    """The hidden alias that a job writes through until its index is switched to.

    An index that has it was never served. With `require_alias`, no request through it makes an index.
    """
    return f"{index}_loading"


def index_name(alias: str, now: datetime) -> str:
    """The name of an index behind the alias, by its time in UTC: `logs_20261122_101500`."""
    return f"{alias}_{now:{_TIME}}"


def creation_time(index: str) -> datetime:
    """The time in the name of an index."""
    return datetime.strptime("_".join(index.rsplit("_", 2)[1:]), _TIME).replace(tzinfo=UTC)


def is_index_name(alias: str, index: str) -> bool:
    """Whether the index's name is one that this product gives an index behind the alias."""
    return re.fullmatch(re.escape(alias) + r"_\d{8}_\d{6}", index) is not None


def matches_pattern(pattern: str, name: str) -> bool:
    """Whether an index pattern of Elasticsearch, where only `*` is special, matches the name."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name) is not None


def refuse_name(alias: str) -> None:
    """Refuse a name that cannot be an alias, or that a full Elasticsearch keeps for data streams.

    Raises:
        UsageError: with the rule it breaks.
    """
    rule = _broken_rule(alias)
    if rule:
        raise UsageError(f"{alias!r} cannot be an alias: {rule}; name another with --index.")
    for pattern in _DATA_STREAMS:
        if matches_pattern(pattern, alias):
            raise UsageError(
                f"{alias!r} cannot be an alias: Elasticsearch keeps {pattern} for data streams;"
                f" name another with --index, for example {alias.replace('-', '_')}."
            )


def _broken_rule(alias: str) -> str | None:
    found = _FORBIDDEN.search(alias)
    if not alias:
        return "it is empty"
    if found:
        return f"Elasticsearch does not allow {found[0]!r} in it"
    if alias != alias.lower():
        return "Elasticsearch allows no capitals in an index"
    if alias[0] in "_-+.":
        return f"Elasticsearch keeps names that begin with {alias[0]!r} for itself"
    if len(alias.encode()) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return None


class _Patterns(TypedDict):
    index_patterns: list[str]


class _Composable(TypedDict):
    name: str
    index_template: _Patterns


def matching_templates(cluster: Cluster, name: str) -> tuple[str, ...]:
    """The names of composable and legacy templates whose patterns match the index name, sorted.

    Raises:
        TargetError: where the user may not see them; the cluster privilege `monitor` is enough.
    """
    indices = cluster.client.indices
    with translated_errors("list its index templates"):
        composable: list[_Composable] = indices.get_index_template(
            filter_path="index_templates.name,index_templates.index_template.index_patterns"
        ).get("index_templates", [])
        legacy: dict[str, _Patterns] = indices.get_template(filter_path="*.index_patterns").body
    patterns = {one["name"]: one["index_template"]["index_patterns"] for one in composable}
    patterns |= {template: one["index_patterns"] for template, one in legacy.items()}
    return tuple(sorted(template for template, them in patterns.items() if any(matches_pattern(p, name) for p in them)))
