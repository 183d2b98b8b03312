"""What is read of a table and how documents are made of it, as an overlay and a user's options have it."""

from dataclasses import dataclass

from indexer.model.capabilities import Capabilities
from indexer.model.key import choose_key
from indexer.model.mapping import Mapping, build_mapping
from indexer.model.overlay import Overlay
from indexer.model.selection import Selection, select
from indexer.model.table import Table
from indexer.model.wanted import needs
from indexer.target.capabilities import probe
from indexer.target.client import Cluster

__all__ = ["Definition", "define"]


@dataclass(frozen=True, slots=True)
class Definition:
    """How documents are made.

    Attributes:
        selection: what is read.
        mapping: what documents are made by.
        capabilities: what the cluster answered.
    """

    selection: Selection
    mapping: Mapping
    capabilities: Capabilities


def define(
    cluster: Cluster,
    table: Table,
    overlay: Overlay,
    *,
    key: tuple[str, ...],
    columns: tuple[str, ...],
    where: str | None,
) -> Definition:
    """Decide what is read by which key, and what each column becomes with what the cluster has.

    Raises:
        Refused: for bad input.
        TargetError: where Elasticsearch does not tell what it has.
    """
    selection = select(table, choose_key(table, key), columns=columns, where=where, id_columns=overlay.id_columns)
    capabilities = probe(cluster, *needs(selection, overlay))
    return Definition(selection, build_mapping(selection, overlay, capabilities), capabilities)
