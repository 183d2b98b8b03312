"""The terms of a job: what must not change between a job's start and its resume."""

from hashlib import sha256

import orjson

from indexer.model.mapping import Mapping
from indexer.model.selection import Selection
from indexer.model.table import Column

__all__ = ["terms_of"]


def terms_of(selection: Selection, mapping: Mapping, strategy: str, catch_up: str = "") -> dict[str, str]:
    """Each term by the name that a user knows it by; what is too long to show is a digest."""
    return {
        "table": str(selection.table.name),
        "columns": ", ".join(_shape(column) for column in selection.columns),
        "--key": ", ".join(selection.key.names),
        "--where": selection.where or "",
        "_id": ", ".join(column.name for column in selection.id_columns) or str(selection.row_id),
        "--strategy": strategy,
        "--catch-up": catch_up,
        "mapping": _digest({"mappings": mapping.mappings, "settings": mapping.settings}),
    }


def _shape(column: Column) -> str:
    inner = f" ({', '.join(map(_shape, column.children))})" if column.children else ""
    return f"{column.name} {column.type.sql or column.type.kind}{inner}"


def _digest(content: object) -> str:
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
