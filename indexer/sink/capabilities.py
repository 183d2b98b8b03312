"""What a cluster can do: asked of the server itself, and nothing is created by asking."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.analysis import Capabilities
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, FORBIDDEN, api_error_reason, translated_errors

__all__ = ["probe_capabilities", "refuse_definition"]

_NORI: Final = "analysis-nori"
_COMMON: Final = "analysis-common"
"""The module with the analyzers of every language that Elasticsearch comes with; minimal distributions lack it."""

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
    modules: list[_Plugin]


def probe_capabilities(cluster: Cluster, analyzers: Iterable[str], field_types: Iterable[str]) -> Capabilities:
    """Ask which of the analyzers (or tokenizers) and field types the cluster has.

    A user may not ask without the cluster privilege `manage` (analyzers) or `manage_index_templates` (types), which a
    job does not need. Analyzers are then there where the plugin or module is that brings them, and types are taken to
    be there: the creation of the index proves it, or is refused with nothing changed.

    Raises:
        TargetError: where Elasticsearch does not answer, or refuses for another reason.
    """
    return Capabilities(
        version=cluster.version,
        analyzers=frozenset(name for name in analyzers if _has_analyzer(cluster, name)),
        field_types=_types(cluster, frozenset(field_types)),
    )


def _has_analyzer(cluster: Cluster, name: str) -> bool:
    home = _NORI if name.startswith("nori") else _COMMON
    if home == _NORI and not _everywhere(cluster, _NORI):
        return False
    status = _analyze(cluster, analyzer=name)
    if status == BAD_REQUEST:
        status = _analyze(cluster, tokenizer=name)
    return _everywhere(cluster, home) if status == FORBIDDEN else status == HTTPStatus.OK


def _everywhere(cluster: Cluster, plugin: str) -> bool:
    # `_analyze` asks one node, and plugins are installed node by node.
    with translated_errors("list its plugins"):
        nodes: dict[str, _Node] = cluster.client.nodes.info(metric="plugins").body["nodes"]
    return all(plugin in _installed(node) for node in nodes.values())


def _installed(node: _Node) -> set[str]:
    return {one["name"] for one in (*node.get("plugins", []), *node.get("modules", []))}


def _analyze(cluster: Cluster, analyzer: str | None = None, tokenizer: str | None = None) -> int:
    """The status of the answer: 200 where it is there, 400 where it is not, 403 where the user may not ask."""
    with translated_errors("tell its analyzers"):
        try:
            cluster.client.indices.analyze(text="x", analyzer=analyzer, tokenizer=tokenizer, filter_path="tokens.token")
        except ApiError as error:
            if error.meta.status in {BAD_REQUEST, FORBIDDEN}:
                return error.meta.status
            raise
    return HTTPStatus.OK


def _types(cluster: Cluster, wanted: frozenset[str]) -> frozenset[str]:
    if not wanted or _accepts(cluster, wanted):  # one request where all are there, which is the rule
        return wanted
    return frozenset(one for one in wanted if _accepts(cluster, frozenset({one})))


def _accepts(cluster: Cluster, types: frozenset[str]) -> bool:
    """Whether a mapping with a field of each type is valid."""
    fields: JsonObject = {f"f_{one}": {"type": one, **_NEEDED.get(one, {})} for one in types}
    return not _objection(cluster, {"mappings": {"properties": fields}})


def refuse_definition(cluster: Cluster, mappings: JsonObject, settings: JsonObject, overlay: str) -> None:
    """Refuse a mapping, or settings, that no index could be made of; where the user may not ask, making it tells.

    Args:
        cluster: where the index would be.
        mappings: its mapping.
        settings: its settings.
        overlay: where they come from, for people.

    Raises:
        UsageError: with what Elasticsearch says of them.
    """
    objection = _objection(cluster, {"mappings": mappings, "settings": settings})
    if objection:
        raise UsageError(
            f"Elasticsearch does not take the mapping or the settings ({objection}): mend the overlay, {overlay}."
        )


def _objection(cluster: Cluster, template: JsonObject) -> str:
    """What is wrong with a mapping and settings, or nothing: simulating a template parses it and keeps nothing."""
    with translated_errors("look at a mapping"):
        try:
            cluster.client.indices.simulate_template(
                index_patterns=["log-search-indexer-probe"], template=template, filter_path="overlapping.name"
            )
        except ApiError as error:
            if error.meta.status not in {BAD_REQUEST, FORBIDDEN}:
                raise
            return api_error_reason(error) if error.meta.status == BAD_REQUEST else ""
    return ""
