"""What a mapping needs of the cluster, and what the cluster has."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Capabilities", "RequiredFeatures"]


class RequiredFeatures(NamedTuple):
    """What to probe the cluster for.

    Attributes:
        analyzers: names of analyzers.
        field_types: names of field types.
    """

    analyzers: frozenset[str]
    field_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the cluster has, of the features that were probed.

    Attributes:
        version: the oldest node's version, for example `9.2.0`.
        analyzers: the names of the analyzers and tokenizers that every node has.
        field_types: the names of the field types that the cluster has.
    """

    version: str
    analyzers: frozenset[str]
    field_types: frozenset[str]
