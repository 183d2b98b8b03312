"""What an Elasticsearch cluster can do, as it answered when it was asked."""

from dataclasses import dataclass

__all__ = ["Capabilities"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a mapping may use.

    Attributes:
        version: the oldest node's version, for example `9.2.0`.
        analyzers: the names of the analyzers and tokenizers that were asked for and that every node has.
        field_types: the field types that were asked for and that the cluster has.
    """

    version: str
    analyzers: frozenset[str]
    field_types: frozenset[str]
