"""What a cluster can do: asked of the server itself, and nothing is created by asking."""

from collections.abc import Iterable
from typing import Final, TypedDict

from elasticsearch import ApiError

from indexer.model.capabilities import Capabilities
from indexer.model.json import JsonObject
from indexer.target.client import Cluster
from indexer.target.failure import BAD_REQUEST, FORBIDDEN, answered

__all__ = ["probe"]

_NORI: Final = "analysis-nori"

_NEEDED: Final[dict[str, JsonObject]] = {
    "alias": {"path": "_id"},
    "scaled_float": {"scaling_factor": 1},
    "semantic_text": {"inference_id": "none"},
}
"""What a field of the type cannot do without: a type is there if its smallest mapping is accepted."""


class _Plugin(TypedDict):
    name: str


class _Node(TypedDict, total=False):
    plugins: list[_Plugin]


def probe(cluster: Cluster, analyzers: Iterable[str], field_types: Iterable[str]) -> Capabilities:
    """Ask which of the analyzers (or tokenizers) and field types the cluster has.

    A user who may not ask (analyzers need the cluster privilege `manage`, types `manage_index_templates`) is taken to
    have them: the creation of the index then proves it, or is refused with nothing changed.

    Raises:
        TargetError: where Elasticsearch does not answer, or refuses for another reason.
    """
    return Capabilities(
        version=cluster.version,
        analyzers=frozenset(name for name in analyzers if _has_analyzer(cluster, name)),
        field_types=_types(cluster, frozenset(field_types)),
    )


def _has_analyzer(cluster: Cluster, name: str) -> bool:
    if name.startswith("nori") and not _everywhere(cluster, _NORI):
        return False
    return _analyzes(cluster, analyzer=name) or _analyzes(cluster, tokenizer=name)


def _everywhere(cluster: Cluster, plugin: str) -> bool:
    # `_analyze` asks one node, and plugins are installed node by node.
    with answered("list its plugins"):
        nodes: dict[str, _Node] = cluster.client.nodes.info(metric="plugins").body["nodes"]
    return all(plugin in {one["name"] for one in node.get("plugins", [])} for node in nodes.values())


def _analyzes(cluster: Cluster, analyzer: str | None = None, tokenizer: str | None = None) -> bool:
    with answered("tell its analyzers"):
        try:
            cluster.client.indices.analyze(text="x", analyzer=analyzer, tokenizer=tokenizer, filter_path="tokens.token")
        except ApiError as error:
            if error.meta.status in {BAD_REQUEST, FORBIDDEN}:
                return error.meta.status == FORBIDDEN
            raise
    return True


def _types(cluster: Cluster, wanted: frozenset[str]) -> frozenset[str]:
    if not wanted or _accepts(cluster, wanted):  # one request where all are there, which is the rule
        return wanted
    return frozenset(one for one in wanted if _accepts(cluster, frozenset({one})))


def _accepts(cluster: Cluster, types: frozenset[str]) -> bool:
    """Whether a mapping with a field of each type is valid: simulating a template parses it and keeps nothing."""
    fields = {f"f_{one}": {"type": one, **_NEEDED.get(one, {})} for one in types}
    with answered("tell its field types"):
        try:
            cluster.client.indices.simulate_template(
                index_patterns=["log-search-indexer-probe"],
                template={"mappings": {"properties": fields}},
                filter_path="overlapping.name",
            )
        except ApiError as error:
            if error.meta.status in {BAD_REQUEST, FORBIDDEN}:
                return error.meta.status == FORBIDDEN
            raise
    return True
