"""What a cluster supports: analyzers, field types and index definitions. No request here creates anything."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.capabilities import Capabilities
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, FORBIDDEN, api_error_reason, translated_errors
from indexer.version import NAME

__all__ = ["probe_capabilities", "refuse_definition"]

_NORI: Final = "analysis-nori"
_COMMON: Final = "analysis-common"
"""The module with the analyzers for languages; minimal distributions lack it."""

_REQUIRED_PARAMETERS: Final[dict[str, JsonObject]] = {
    "alias": {"path": "_id"},
    "scaled_float": {"scaling_factor": 1},
    "semantic_text": {"inference_id": "none"},
}
"""Parameters without which a field of the type is invalid: a type is supported if its smallest mapping is accepted."""


class _Plugin(TypedDict):
    name: str


class _Node(TypedDict, total=False):
    plugins: list[_Plugin]
    modules: list[_Plugin]


def probe_capabilities(cluster: Cluster, analyzers: Iterable[str], field_types: Iterable[str]) -> Capabilities:
    """Find out which of the analyzers (or tokenizers) and field types the cluster has.

    The checks need the cluster privileges `manage` (analyzers) and `manage_index_templates` (types), which a job does
    not need otherwise. Without them, an analyzer counts as present where its plugin or module is installed, and every
    type counts as present: creating the index either succeeds or is rejected with nothing changed.

    Raises:
        TargetError: where Elasticsearch does not answer, or rejects the request for another reason.
    """
    return Capabilities(
        version=cluster.version,
        analyzers=frozenset(name for name in analyzers if _has_analyzer(cluster, name)),
        field_types=_types(cluster, frozenset(field_types)),
    )


def _has_analyzer(cluster: Cluster, name: str) -> bool:
    module = _NORI if name.startswith("nori") else _COMMON
    if module == _NORI and not _on_every_node(cluster, _NORI):
        return False
    status = _analyze(cluster, analyzer=name)
    if status == BAD_REQUEST:
        status = _analyze(cluster, tokenizer=name)
    return _on_every_node(cluster, module) if status == FORBIDDEN else status == HTTPStatus.OK


def _on_every_node(cluster: Cluster, plugin: str) -> bool:
    # `_analyze` runs on one node, and plugins are installed node by node.
    with translated_errors("list the plugins"):
        nodes: dict[str, _Node] = cluster.client.nodes.info(metric="plugins").body["nodes"]
    return all(plugin in _installed(node) for node in nodes.values())


def _installed(node: _Node) -> set[str]:
    return {plugin["name"] for plugin in (*node.get("plugins", []), *node.get("modules", []))}


def _analyze(cluster: Cluster, analyzer: str | None = None, tokenizer: str | None = None) -> int:
    """The HTTP status: 200 where the analyzer exists, 400 where it does not, 403 where the user lacks the privilege."""
    with translated_errors("test an analyzer"):
        try:
            cluster.client.indices.analyze(text="x", analyzer=analyzer, tokenizer=tokenizer, filter_path="tokens.token")
        except ApiError as error:
            if error.meta.status in {BAD_REQUEST, FORBIDDEN}:
                return error.meta.status
            raise
    return HTTPStatus.OK


def _types(cluster: Cluster, types: frozenset[str]) -> frozenset[str]:
    if not types or _accepts(cluster, types):  # usually the cluster has all of them: one request
        return types
    return frozenset(type_ for type_ in types if _accepts(cluster, frozenset({type_})))


def _accepts(cluster: Cluster, types: frozenset[str]) -> bool:
    """Whether a mapping with a field of each type is valid."""
    fields: JsonObject = {f"f_{type_}": {"type": type_, **_REQUIRED_PARAMETERS.get(type_, {})} for type_ in types}
    return not _objection(cluster, {"mappings": {"properties": fields}})


def refuse_definition(cluster: Cluster, mappings: JsonObject, settings: JsonObject, overlay: str) -> None:
    """Refuse a mapping, or settings, that Elasticsearch would not accept for an index.

    Without the privilege to check this, nothing is refused here: creating the index will tell.

    Args:
        cluster: where the index would be created.
        mappings: its mapping.
        settings: its settings.
        overlay: the overlay's name, for the message.

    Raises:
        UsageError: with what Elasticsearch says about them.
    """
    objection = _objection(cluster, {"mappings": mappings, "settings": settings})
    if objection:
        raise UsageError(
            f"Elasticsearch does not accept the mapping or the settings ({objection}); correct the overlay {overlay}."
        )


def _objection(cluster: Cluster, template: JsonObject) -> str:
    """What is wrong with a mapping and settings, or nothing. Simulating a template validates without storing it."""
    with translated_errors("validate a mapping"):
        try:
            cluster.client.indices.simulate_template(
                index_patterns=[f"{NAME}-probe"], template=template, filter_path="overlapping.name"
            )
        except ApiError as error:
            if error.meta.status not in {BAD_REQUEST, FORBIDDEN}:
                raise
            return api_error_reason(error) if error.meta.status == BAD_REQUEST else ""
    return ""
