"""A field of the new index: the column it holds, its type, who decided that, and which names Elasticsearch accepts."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.field_type import OBJECTS
from indexer.model.table.table import Column

__all__ = ["Field", "Origin", "is_field_name", "refuse_collisions"]


class Origin(StrEnum):
    """Who decided how a column is indexed."""

    RULE = "type rule"
    OVERLAY = "overlay"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Field:
    """How one column or sub-column is indexed.

    Attributes:
        name: the dotted name in the index.
        column: the source column.
        type: the field type, or None where the column is left out.
        origin: who decided it.
        definition: its definition in the mapping, without its sub-columns.
    """

    name: str
    column: Column
    type: str | None
    origin: Origin
    definition: JsonObject

    @property
    def own_name(self) -> str:
        """The name without those of the objects around it. A top-level name may have dots, as in PostgreSQL."""
        return self.name if len(self.column.path) == 1 else self.name.rpartition(".")[2]


_METADATA_FIELDS = frozenset(
    {
        "_data_stream_timestamp",
        "_doc_count",
        "_feature",
        "_field_names",
        "_id",
        "_ignored",
        "_ignored_source",
        "_index",
        "_inference_fields",
        "_nested_path",
        "_routing",
        "_seq_no",
        "_source",
        "_tier",
        "_ts_routing_hash",
        "_tsid",
        "_version",
    }
)


def is_field_name(name: str, *, top: bool) -> bool:
    """Whether Elasticsearch accepts a field of this name; `top` for a field outside of any object.

    It refuses names with an empty or blank part and, at the top level, those of its metadata fields (seen on 9.2.0: it
    refuses the mapping, and every document with such a name).
    """
    return all(part.strip() for part in name.split(".")) and not (top and name in _METADATA_FIELDS)


def refuse_collisions(fields: Iterable[Field], where: str) -> None:
    """Check that no two fields share a name, and that no field is a value where another needs an object.

    Args:
        fields: the fields of the index.
        where: the mapping file, for messages.

    Raises:
        UsageError: for two columns of one name (by `rename`), or for `a` and `a.b` where `a` is not an object.
    """
    by_name: dict[str, Field] = {}
    for field in (field for field in fields if field.type is not None):
        other = by_name.setdefault(field.name, field)
        if other is not field:
            raise _collision(other, field, where)
    for field in by_name.values():
        parts = field.name.split(".")
        for length in range(1, len(parts)):
            outer = by_name.get(".".join(parts[:length]))
            if outer is not None and outer.type not in OBJECTS:
                raise _collision(outer, field, where)


def _collision(field: Field, other: Field, where: str) -> UsageError:
    return UsageError(
        f"{where}: columns {field.column.name} and {other.column.name} collide as fields {field.name} and {other.name}:"
        " rename one of them, or leave it out."
    )
