"""Mappings of a few columns, for tests without a server."""

from pydantic import JsonValue

from indexer.model.json import JsonObject
from indexer.model.mapping.analysis import AnalyzerChoice
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.mapping import IndexMapping, build_mapping
from indexer.model.mapping.overlay import parse_overlay
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import Column, ColumnKind, Table, TableName
from tests.support.columns import column

__all__ = ["BARE", "DATE", "FULL", "KOREAN", "TEXT", "mapping_of", "properties", "selection_of"]

TEXT = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
DATE = {"type": "date", "format": "epoch_millis||strict_date_optional_time"}
FULL = Capabilities("9.2.0", frozenset(), frozenset({"geo_shape", "flattened", "dense_vector"}))
BARE = Capabilities("9.2.0", frozenset(), frozenset())


def _korean(rank: int, needs: str | None, label: str, **field: JsonValue) -> AnalyzerChoice:
    return AnalyzerChoice(
        serves="korean",
        rank=rank,
        needs=needs,
        label=label,
        analysis={"analyzer": {"korean": {"type": label}}},
        field=field,
    )


KOREAN = (
    _korean(3, None, "standard", index_prefixes={"min_chars": 2}),
    _korean(1, "nori", "nori"),
    _korean(2, "cjk", "cjk"),
)


def selection_of(*columns: Column) -> Selection:
    """A selection of all columns of a table that has the primary key `id` and these columns."""
    table = Table(TableName("t"), (column("id", ColumnKind.BIGINT), *columns), primary_key=("id",))
    return select(table, choose_key(table))


def mapping_of(*columns: Column, overlay: object = None, capabilities: Capabilities = FULL) -> IndexMapping:
    """The mapping of `selection_of` these columns."""
    return build_mapping(selection_of(*columns), parse_overlay(overlay, "m.yaml", KOREAN), capabilities)


def properties(mapping: IndexMapping) -> JsonObject:
    """The definitions of the top-level fields, by name."""
    fields = mapping.mappings["properties"]
    assert isinstance(fields, dict)
    return fields
