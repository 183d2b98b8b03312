"""Maps rows and writes them into a real index, as a job does, for tests of searches and mappings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.model.document.bulk_response import WriteResult
from indexer.model.document.document import DocumentBuilder
from indexer.model.json import JsonObject, Row
from indexer.model.mapping.mapping import IndexMapping, build_mapping
from indexer.model.mapping.overlay import Overlay
from indexer.model.mapping.rules import required_features
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import Table
from indexer.sink.bulk import BulkWriter
from indexer.sink.capabilities import probe_capabilities
from indexer.sink.client import Cluster
from indexer.sink.index import Indexes

__all__ = ["LoadedIndex", "load_index"]


@dataclass(frozen=True)
class LoadedIndex:
    """An index with documents.

    Attributes:
        cluster: the cluster that it is in.
        index: its name.
        mapping: the mapping that it was created with.
        documents: the builder of its documents.
        lines: the lines of the bulk request, one for each row.
        written: the result of the bulk request.
    """

    cluster: Cluster
    index: str
    mapping: IndexMapping
    documents: DocumentBuilder
    lines: list[bytes]
    written: WriteResult

    def found(self, query: JsonObject) -> list[str]:
        """The sorted ids of the documents that match a query."""
        hits = self.cluster.client.search(index=self.index, query=query, size=100).body["hits"]["hits"]
        return sorted(hit["_id"] for hit in hits)

    def source(self, id_: str) -> JsonObject:
        """The document as Elasticsearch returns it."""
        source: JsonObject = self.cluster.client.get(index=self.index, id=id_).body["_source"]
        return source

    def has(self, field_type: str) -> bool:
        """Whether any field has this type, which the cluster may not support."""
        return any(field.type == field_type for field in self.mapping.fields)


def load_index(cluster: Cluster, alias: str, table: Table, overlay: Overlay, rows: Sequence[Row]) -> LoadedIndex:
    """Map the whole table, create an index, write the rows and make them searchable."""
    selection = select(table, choose_key(table))
    mapping = build_mapping(selection, overlay, probe_capabilities(cluster, *required_features(selection, overlay)))
    indexes = Indexes(cluster)
    index = indexes.new_name(alias, datetime.now(UTC))
    indexes.create(index, mapping.mappings, mapping.settings, {})
    documents = DocumentBuilder(selection, mapping)
    lines = documents.lines(rows)
    written = BulkWriter(cluster, index).write(lines)
    indexes.finish(index, mapping.settings)
    return LoadedIndex(cluster, index, mapping, documents, lines, written)
