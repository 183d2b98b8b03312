"""Index templates of the cluster that would have a say in a new index."""

from typing import TypedDict

from indexer.target.client import Cluster
from indexer.target.failure import answered
from indexer.target.name import matches

__all__ = ["matching_templates"]


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
    with answered("list its index templates"):
        composable: list[_Composable] = indices.get_index_template(
            filter_path="index_templates.name,index_templates.index_template.index_patterns"
        ).get("index_templates", [])
        legacy: dict[str, _Patterns] = indices.get_template(filter_path="*.index_patterns").body
    patterns = {one["name"]: one["index_template"]["index_patterns"] for one in composable}
    patterns |= {template: one["index_patterns"] for template, one in legacy.items()}
    return tuple(sorted(template for template, them in patterns.items() if any(matches(p, name) for p in them)))
