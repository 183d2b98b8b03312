"""The mapping on its own: what a reindex would create, a mapping file to start from, and how a live index differs."""

from dataclasses import dataclass
from pathlib import Path

from elasticsearch import ApiError

from indexer.errors import UsageError
from indexer.job.context import JobContext, open_context
from indexer.job.overlay_file import find_overlay
from indexer.job.provenance import define
from indexer.model.job.progress import Counters
from indexer.model.mapping.diff import MappingDifference, mapping_differences
from indexer.model.mapping.field import Field
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.mapping.overlay import Overlay
from indexer.model.table.table import Table, parse_table_name
from indexer.settings import Settings
from indexer.sink.errors import NOT_FOUND, translated_errors

__all__ = ["MappingPreview", "check_index", "preview_mapping", "write_overlay"]


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """What a new index would be created with.

    Attributes:
        table: the table.
        overlay: where the overlay came from, for people.
        mapping: the fields and settings.
    """

    table: Table
    overlay: str
    mapping: IndexMapping


def preview_mapping(settings: Settings) -> MappingPreview:
    """Decide the mapping of `--table`; changes nothing.

    Raises:
        UsageError: for bad input.
        SourceError, TargetError: where a server fails.
    """
    with open_context(settings, Counters()) as context:
        return _preview(settings, context)


def check_index(settings: Settings, index: str) -> tuple[MappingDifference, ...]:
    """How a live index, or the one behind an alias, differs from a new one; changes nothing.

    Raises:
        UsageError: for bad input, and where there is no such index.
        SourceError, TargetError: where a server fails.
    """
    with open_context(settings, Counters()) as context:
        expected = _preview(settings, context).mapping
        with translated_errors(f"read {index}"):
            try:
                found = context.cluster.client.indices.get(index=index).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                raise UsageError(f"There is no index or alias {index}; correct the name after --check.") from error
    if len(found) != 1:
        raise UsageError(f"{index} names {len(found)} indexes; pass one of {', '.join(sorted(found)) or 'them'}.")
    live = next(iter(found.values()))
    return mapping_differences(expected.mappings, live["mappings"], expected.settings, live["settings"]["index"])


def write_overlay(settings: Settings, folder: Path) -> Path:
    """Write a mapping file to start from, whose lines are commented out: `mappings/<table>.yaml`.

    Raises:
        UsageError: for bad input, and where the file exists already.
        SourceError, TargetError: where a server fails.
    """
    with open_context(settings, Counters()) as context:
        # By the types alone: the file replaces the shipped one.
        preview = _preview(settings, context, by_types=True)
    path = folder / "mappings" / f"{preview.table.name.name}.yaml"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_template(preview))
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; edit it, or move it away first.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _preview(settings: Settings, context: JobContext, *, by_types: bool = False) -> MappingPreview:
    table = context.source.describe(parse_table_name(settings.table))
    overlay, origin = (Overlay(), "") if by_types else find_overlay(table, settings.mapping)
    definition = define(
        context.cluster, table, overlay, key=settings.key, columns=settings.columns, where=settings.where
    )
    return MappingPreview(table, origin, definition.mapping)


_HEAD = """\
# How the columns of {table} are indexed. A line that is commented out says what happens without it: take out the # and
# change it. Then: indexer mapping --table {table}    and    indexer mapping --table {table} --check INDEX
#
#   column: keyword                                a field type of Elasticsearch
#   column: false                                  leave it out of the index
#   column: {{type: text, analyzer: korean}}         nori, cjk or prefixes of words: what the cluster has
#   column: {{rename: other_name}}                   another name in the index

fields:
"""

_TAIL = """
# For `indexer search`: the field of --since, what colours a line, what is shown, and options of its own.
# search:
#   time: ts
#   level: level
#   message: message
#   columns: [ts, level, message]
#   shorthands: {pod: attrs.pod}

# settings:
#   number_of_shards: 2
#   number_of_replicas: 1

# Columns that together identify a row, for a table without a primary key:
# id: [host, seq]
"""


def _template(preview: MappingPreview) -> str:
    lines = "".join(map(_line, preview.mapping.fields))
    return _HEAD.format(table=preview.table.name.name) + lines + _TAIL


def _line(field: Field) -> str:
    said = "false" if field.type is None else _definition(field)
    return f"  # {_quoted(field.column.name)}: {said}  # {field.column.type.sql or field.column.type.kind}\n"


def _definition(field: Field) -> str:
    subs = field.definition.get("fields")
    if not isinstance(subs, dict):
        return str(field.type)
    below = ", ".join(f"{name}: {body['type']}" for name, body in subs.items() if isinstance(body, dict))
    return f"{{type: {field.type}, fields: {{{below}}}}}"


def _quoted(name: str) -> str:
    return name if name.replace(".", "").replace("_", "").isalnum() else '"' + name.replace('"', '\\"') + '"'
