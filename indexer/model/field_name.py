"""Names of fields: which ones Elasticsearch takes, and that no two columns get the same."""

from collections.abc import Iterable

from indexer.errors import Refused
from indexer.model.field import Field
from indexer.model.field_type import OBJECTS

__all__ = ["refuse_collisions", "takes_name"]

_METADATA = frozenset(
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


def takes_name(name: str, *, top: bool) -> bool:
    """Whether Elasticsearch takes a field of this name; `top` for one that is in no object.

    It refuses names that are empty or blank, also between dots, and at the top those of its metadata fields (seen on
    9.2.0: the mapping is refused, and so is every document with such a name).
    """
    return all(part.strip() for part in name.split(".")) and not (top and name in _METADATA)


def refuse_collisions(fields: Iterable[Field], where: str) -> None:
    """See that every field has a name of its own, and that no value stands where another field needs an object.

    Raises:
        Refused: for two columns with one name (by `rename`), or `a` and `a.b` where `a` is no object.
    """
    named: dict[str, Field] = {}
    for field in (field for field in fields if field.type is not None):
        other = named.setdefault(field.name, field)
        if other is not field:
            raise _collision(other, field, where)
    for field in named.values():
        parts = field.name.split(".")
        for length in range(1, len(parts)):
            above = named.get(".".join(parts[:length]))
            if above is not None and above.type not in OBJECTS:
                raise _collision(above, field, where)


def _collision(field: Field, other: Field, where: str) -> Refused:
    return Refused(
        f"{where}: {field.column.name} and {other.column.name} cannot be the fields {field.name} and {other.name}"
        " of one index: rename one of them, or leave it out."
    )
