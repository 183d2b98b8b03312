"""The mapping as an index template, for indexes that another tool makes and loads: Logstash, say."""

from typing import Final

from indexer.model.json import JsonObject
from indexer.model.mapping import Mapping

__all__ = ["index_template"]

_PRIORITY: Final = 500
"""Above that of the templates that a full Elasticsearch ships with, so that this one wins."""


def index_template(mapping: Mapping, pattern: str) -> JsonObject:
    """The body of `PUT _index_template/NAME`: what a reindex would create its index with.

    Args:
        mapping: the fields and settings, decided for the cluster that takes the template.
        pattern: the indexes it is for, by name or with `*`.
    """
    mappings: JsonObject = {**mapping.mappings, "_meta": mapping.meta}
    return {
        "index_patterns": [pattern],
        "priority": _PRIORITY,
        "template": {"settings": {"index": mapping.settings}, "mappings": mappings},
    }
