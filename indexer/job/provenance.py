"""How an index was made: which table, which columns, which mapping; and whether documents can still be made like that.

A plan defines how documents are made. A verification and a replay rebuild that definition from what is kept of the job
and of the index, and refuse an index whose documents would come out differently now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from indexer.errors import UsageError
from indexer.job.context import JobContext
from indexer.job.dead_letters import JobDeadLetters
from indexer.job.overlay_file import find_overlay
from indexer.model.job.state import JobState, fingerprint_difference, fingerprint_of
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.diff import mapping_differences
from indexer.model.mapping.field_type import OBJECTS
from indexer.model.mapping.mapping import IndexMapping, build_mapping
from indexer.model.mapping.overlay import Overlay
from indexer.model.mapping.overlay_check import kept_columns
from indexer.model.mapping.rules import required_features
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import Table, TableName, parse_table_name
from indexer.settings import Settings
from indexer.sink.capabilities import probe_capabilities
from indexer.sink.client import Cluster
from indexer.sink.index import PRODUCT
from indexer.sink.snapshot import IndexInfo, read_index_info

__all__ = ["Definition", "Provenance", "define", "find_job_provenance", "find_provenance", "mapping_change"]

_NAMED: Final = 3
"""Changed fields that a refusal names."""


@dataclass(frozen=True, slots=True)
class Definition:
    """How documents are made.

    Attributes:
        selection: what is read.
        mapping: what documents are made by.
        capabilities: what the cluster answered.
    """

    selection: Selection
    mapping: IndexMapping
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

    Args:
        cluster: where the index is, or will be.
        table: the table.
        overlay: the table's mapping file.
        key: as `--key` names it; empty for the best there is.
        columns: those to read; empty for all but those that the overlay leaves out.
        where: an SQL condition.

    Raises:
        UsageError: for bad input.
        TargetError: where Elasticsearch does not say what it has.
    """
    kept = kept_columns(table, overlay, columns)
    selection = select(table, choose_key(table, key), columns=kept, where=where, id_columns=overlay.id_columns)
    capabilities = probe_capabilities(cluster, *required_features(selection, overlay))
    return Definition(selection, build_mapping(selection, overlay, capabilities), capabilities)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an index was made.

    Attributes:
        served: the index.
        job: the job that made it; None where that was forgotten, or is kept in another index of jobs.
        selection: what is read of the table.
        mapping: what documents are made by.
        left_out: columns of the table that the index does not have.
    """

    served: IndexInfo
    job: JobState | None
    selection: Selection
    mapping: IndexMapping
    left_out: tuple[str, ...]

    @property
    def alias(self) -> str:
        """The target whose lock a job of this index holds."""
        return self.job.alias if self.job else self.served.alias

    @property
    def dead_letters(self) -> int:
        """Documents that the job could not write, as far as it is known."""
        return self.job.dead_letters if self.job else 0

    def rejections(self, context: JobContext) -> dict[str, str]:
        """The ids and reasons of the dead letters, where their file is on this machine or an index has them."""
        if self.job is None or not self.dead_letters:
            return {}
        return {letter.id: letter.reason for letter in JobDeadLetters(self.job, context)}


@dataclass(frozen=True, slots=True)
class _Options:
    """The options that an index was made with, as far as they are known."""

    table: TableName
    key: tuple[str, ...]
    columns: tuple[str, ...]
    where: str | None
    mapping: Path | None


def find_provenance(settings: Settings, context: JobContext) -> Provenance:
    """How the index that `--index` or the table's name stands for was made. Options override what is kept of its job.

    Raises:
        UsageError: for bad input, for an index of another product, and where its documents would come out differently
            now; the sentence says what changed.
    """
    served = read_index_info(context.cluster, settings.alias)
    _refuse_foreign(served)
    job = next((state for state in context.jobs.all() if state.job == served.meta.get("job")), None)
    named = "table" in settings.model_fields_set or "table" not in served.meta
    options = _Options(
        table=parse_table_name(settings.table) if named else _table_name(str(served.meta["table"])),
        key=settings.key,
        columns=settings.columns,
        where=settings.where if settings.where is not None else _where(job),
        mapping=settings.mapping,
    )
    return _rebuild(context, served, job, options)


def find_job_provenance(context: JobContext, job: JobState, mapping: Path | None) -> Provenance:
    """How the index of a job was made, from what is kept of the job.

    Args:
        context: both servers.
        job: the job.
        mapping: the mapping file, where it is not where it was.

    Raises:
        UsageError: where its documents would come out differently now; the sentence says what changed.
    """
    options = _Options(
        table=_table_name(job.table),
        key=(job.fingerprint["--key"].split(", ")[0],),
        columns=(),
        where=_where(job),
        mapping=mapping,
    )
    return _rebuild(context, read_index_info(context.cluster, job.job), job, options)


def _refuse_foreign(served: IndexInfo) -> None:
    if served.meta.get("product") != PRODUCT:
        raise UsageError(
            f"{served.index} was not made by reindex, so nobody knows what its documents should be; pass an index that"
            " was with --index."
        )
    if served.synthetic:
        raise UsageError(
            f"{served.index} has a synthetic _source, so fields cannot be compared;"
            " reindex with another index.mapping.source.mode."
        )


def _table_name(text: str) -> TableName:
    schema, _, name = text.rpartition(".")  # neither holds a dot in CrateDB
    return TableName(name, schema or None)


def _where(job: JobState | None) -> str | None:
    return (job.fingerprint.get("--where") or None) if job else None


def _rebuild(context: JobContext, served: IndexInfo, job: JobState | None, options: _Options) -> Provenance:
    table = context.source.describe(options.table)
    overlay, origin = find_overlay(table, options.mapping or _mapping_file(job))
    columns, left_out = _columns(table, overlay, options.columns, served, job)
    definition = define(context.cluster, table, overlay, key=options.key, columns=columns, where=options.where)
    _refuse_changed(served, job, definition, origin)
    return Provenance(served, job, definition.selection, definition.mapping, left_out)


def _mapping_file(job: JobState | None) -> Path | None:
    """The mapping file that the job was given, where it is on this machine."""
    file = Path(job.mapping_file) if job and job.mapping_file else None
    return file if file and file.is_file() else None


def _columns(
    table: Table, overlay: Overlay, named: tuple[str, ...], served: IndexInfo, job: JobState | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns to read, and those of the table that the index has no field of."""
    if named:
        return named, ()
    kept = kept_columns(table, overlay)
    indexed = tuple(name for name in kept if _field_name(name, overlay) in served.fields)
    if not indexed:
        raise UsageError(
            f"{served.index} has no field of {table.name}; pass the table that it was made of with --table."
        )
    left_out = tuple(name for name in kept if name not in indexed)
    return tuple(name for name in job.columns if name in kept) if job else indexed, left_out


def _field_name(column: str, overlay: Overlay) -> str:
    option = overlay.fields.get(column)
    return (option.rename if option else None) or column


_CHECKED: Final = frozenset({"table", "_id", "--where"})
"""What must be as it was besides the mapping; by which key and strategy rows are read does not change a document."""


def _refuse_changed(served: IndexInfo, job: JobState | None, definition: Definition, origin: str) -> None:
    now = {
        name: value
        for name, value in fingerprint_of(definition.selection, definition.mapping, "").items()
        if name in _CHECKED
    }
    before = {name: job.fingerprint.get(name, value) for name, value in now.items()} if job else now
    changed = fingerprint_difference(before, now)
    if changed:
        raise UsageError(
            f"{served.index} was made with other options: {changed}; use the original options, or reindex."
        )
    fields = "; ".join(islice(_changed_types(definition.mapping, served.fields), _NAMED))
    if fields:
        raise UsageError(
            f"{served.index} was made with another mapping than that of {origin} ({fields});"
            " pass the original file with --mapping, or reindex."
        )


def mapping_change(mapping: IndexMapping, served: IndexInfo) -> str:
    """What a new mapping would change in an index, for people: `the mapping changed (level: text -> keyword)`."""
    differences = mapping_differences(mapping.mappings, {"properties": served.fields}, {}, {})
    parameters = (f"{each.name}: {each.live} -> {each.wanted}" for each in differences)
    named = [*islice(_changed_types(mapping, served.fields), _NAMED)] or [*islice(parameters, _NAMED)]
    return f"the mapping changed ({'; '.join(named) or 'its settings'})"


def _changed_types(mapping: IndexMapping, fields: JsonObject) -> Iterator[str]:
    properties = mapping.mappings["properties"]
    return _changed(properties if isinstance(properties, dict) else {}, fields, "")


def _changed(expected: JsonObject, present: JsonObject, above: str) -> Iterator[str]:
    """The fields whose type is another, that are gone or that are new; keys of objects come and go."""
    for name in {**expected, **present}:
        now, before = _type(expected.get(name)), _type(present.get(name))
        if now != before and not (above and None in {now, before}):
            yield f"{above}{name}: {before or 'absent'} -> {now or 'absent'}"
        elif now in OBJECTS:
            yield from _changed(_below(expected.get(name)), _below(present.get(name)), f"{above}{name}.")


def _type(definition: Json) -> str | None:
    return str(definition.get("type", "object")) if isinstance(definition, dict) else None


def _below(definition: Json) -> JsonObject:
    below = definition.get("properties") if isinstance(definition, dict) else None
    return below if isinstance(below, dict) else {}
