"""Names of indexes and aliases: which are allowed, which this product gives, and which templates match them."""

import re
from datetime import UTC, datetime
from typing import Final, TypedDict

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

_FORBIDDEN: Final = re.compile(r'[\s"*\\/<>|,?#:]')

_MAX_ALIAS_BYTES: Final = 200
"""An index name may have 255 bytes, of which the time and the suffix of the loading alias take a part."""

_TIME_FORMAT: Final = "%Y%m%d_%H%M%S"

_DATA_STREAMS: Final = ("logs-*-*", "metrics-*-*", "synthetics-*-*", "traces-*-*")
"""A full Elasticsearch has index templates for these names that allow only data streams (docs/servers.md)."""


def loading_alias(index: str) -> str:
    """The hidden alias that a job writes through until readers are switched to its index.

    An index that still has it was never served. A request through it with `require_alias` never creates an index.
    """
    return f"{index}_loading"


def index_name(alias: str, now: datetime) -> str:
    """The name of an index created for the alias at this time, in UTC: `logs_20261122_101500`."""
    return f"{alias}_{now:{_TIME_FORMAT}}"


def creation_time(index: str) -> datetime:
    """The time in the name of an index, in UTC."""
    return datetime.strptime("_".join(index.rsplit("_", 2)[1:]), _TIME_FORMAT).replace(tzinfo=UTC)


def is_index_name(alias: str, index: str) -> bool:
    """Whether this product could have given the index its name, for this alias."""
    return re.fullmatch(re.escape(alias) + r"_\d{8}_\d{6}", index) is not None


def matches_pattern(pattern: str, name: str) -> bool:
    """Whether an index pattern matches the name; in Elasticsearch only `*` is special in a pattern."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name) is not None


def refuse_name(alias: str) -> None:
    """Refuse a name that cannot be an alias, or that a full Elasticsearch reserves for data streams.

    Raises:
        UsageError: with the rule that the name breaks.
    """
    rule = _broken_rule(alias)
    if rule:
        raise UsageError(f"{alias!r} cannot be an alias: {rule}; choose another name with --index.")
    for pattern in _DATA_STREAMS:
        if matches_pattern(pattern, alias):
            raise UsageError(
                f"{alias!r} cannot be an alias: Elasticsearch reserves {pattern} for data streams;"
                f" choose another name with --index, for example {alias.replace('-', '_')}."
            )


def _broken_rule(alias: str) -> str | None:
    forbidden = _FORBIDDEN.search(alias)
    if not alias:
        return "it is empty"
    if forbidden:
        return f"Elasticsearch does not allow {forbidden[0]!r} in a name"
    if alias != alias.lower():
        return "Elasticsearch does not allow capitals in a name"
    if alias[0] in "_-+.":
        return f"Elasticsearch does not allow {alias[0]!r} at the beginning"
    if len(alias.encode()) > _MAX_ALIAS_BYTES:
        return f"it is longer than {_MAX_ALIAS_BYTES} bytes"
    return None


class _Patterns(TypedDict):
    index_patterns: list[str]


class _Composable(TypedDict):
    name: str
    index_template: _Patterns


def matching_templates(cluster: Cluster, name: str) -> tuple[str, ...]:
    """The names of composable and legacy templates whose patterns match the index name, sorted.

    Raises:
        TargetError: where the user may not list templates; the cluster privilege `monitor` is enough.
    """
    indices = cluster.client.indices
    with translated_errors("list the index templates"):
        composable: list[_Composable] = indices.get_index_template(
            filter_path="index_templates.name,index_templates.index_template.index_patterns"
        ).get("index_templates", [])
        legacy: dict[str, _Patterns] = indices.get_template(filter_path="*.index_patterns").body
    patterns = {template["name"]: template["index_template"]["index_patterns"] for template in composable}
    patterns |= {name_: template["index_patterns"] for name_, template in legacy.items()}
    return tuple(
        sorted(template for template, any_of in patterns.items() if any(matches_pattern(p, name) for p in any_of))
    )
