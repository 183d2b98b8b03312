"""What a verification is about: an index, the table it was made of, and how documents are made of its rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from indexer.errors import UsageError
from indexer.job.dead_letters import JobDeadLetters
from indexer.job.overlay_file import find_overlay
from indexer.model.job.state import JobState, fingerprint_difference, fingerprint_of
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.analysis import Capabilities
from indexer.model.mapping.diff import mapping_differences
from indexer.model.mapping.field_type import OBJECTS
from indexer.model.mapping.mapping import IndexMapping, build_mapping
from indexer.model.mapping.overlay import Overlay
from indexer.model.mapping.rules import kept_columns, required_features
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import Table, TableName, parse_table_name
from indexer.settings import Settings
from indexer.sink.capabilities import probe_capabilities
from indexer.sink.client import Cluster
from indexer.sink.index import PRODUCT
from indexer.sink.job_store import JobStore
from indexer.sink.snapshot import IndexInfo, read_index_info
from indexer.source.protocol import Source

__all__ = ["Definition", "Provenance", "define", "find_provenance", "redefine"]


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

    Raises:
        UsageError: for bad input.
        TargetError: where Elasticsearch does not tell what it has.
    """
    selection = select(table, choose_key(table, key), columns=columns, where=where, id_columns=overlay.id_columns)
    capabilities = probe_capabilities(cluster, *required_features(selection, overlay))
    return Definition(selection, build_mapping(selection, overlay, capabilities), capabilities)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is compared with what.

    Attributes:
        served: the index.
        alias: the target whose lock a job of this index holds.
        selection: what is read of the table.
        mapping: what documents are made by.
        left_out: columns that the index does not have.
        dead_letters: how many documents the job which made the index could not write, as far as it is known.
        rejected: their ids and reasons, where their file is on this machine, or an index has them.
    """

    served: IndexInfo
    alias: str
    selection: Selection
    mapping: IndexMapping
    left_out: tuple[str, ...]
    dead_letters: int
    rejected: dict[str, str]


def find_provenance(settings: Settings, source: Source, cluster: Cluster, jobs: JobStore) -> Provenance:
    """Find out how the index was made, and that its documents can still be made so.

    Raises:
        UsageError: for bad input, or where the overlay, the `_id` or the filter is not what the index was made with; the
            sentence says what differs.
    """
    served = read_index_info(cluster, settings.index or parse_table_name(settings.table).name.lower())
    _refuse_foreign(served)
    table = source.describe(_table(settings, served))
    overlay, origin = find_overlay(table, settings.mapping)
    columns, left_out = _columns(table, overlay, settings, served)
    job = _job(jobs, served)
    where = settings.where if settings.where is not None else _where(job)
    made = define(cluster, table, overlay, key=settings.key, columns=columns, where=where)
    _refuse_changed(served, made.selection, made.mapping, job, settings.mapping or Path(origin))
    dead_letters = job.dead_letters if job else 0
    return Provenance(
        served=served,
        alias=job.alias if job else served.alias,
        selection=made.selection,
        mapping=made.mapping,
        left_out=left_out,
        dead_letters=dead_letters,
        rejected=_rejected(job, cluster, settings) if job and dead_letters else {},
    )


def _refuse_foreign(served: IndexInfo) -> None:
    if served.meta.get("product") != PRODUCT:
        raise UsageError(
            f"{served.index} was not made by reindex, so nothing tells what its documents should be: name an index that"
            " was with --index."
        )
    if served.synthetic:
        raise UsageError(
            f"{served.index} keeps no _source as it was sent (synthetic), so fields cannot be compared:"
            " reindex with another setting of index.mapping.source.mode."
        )


def _table(settings: Settings, served: IndexInfo) -> TableName:
    if "table" in settings.model_fields_set or "table" not in served.meta:
        return parse_table_name(settings.table)
    schema, _, name = str(served.meta["table"]).rpartition(".")  # neither holds a dot in CrateDB
    return TableName(name, schema or None)


def _columns(
    table: Table, overlay: Overlay, settings: Settings, served: IndexInfo
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that the index has a field of, and those that it has not."""
    kept = kept_columns(table, overlay, settings.columns)
    if settings.columns:
        return kept, ()
    found = tuple(name for name in kept if _field_name(name, overlay) in served.fields)
    if not found:
        raise UsageError(
            f"{served.index} has no field of {table.name}: name the table that it was made of with --table."
        )
    return found, tuple(name for name in kept if name not in found)


def _field_name(column: str, overlay: Overlay) -> str:
    option = overlay.fields.get(column)
    return (option.rename if option else None) or column


def _job(jobs: JobStore, served: IndexInfo) -> JobState | None:
    name = served.meta.get("job")
    return next((state for state in jobs.all() if state.job == name), None)


def _where(job: JobState | None) -> str | None:
    return (job.fingerprint.get("--where") or None) if job else None


def _rejected(job: JobState, cluster: Cluster, settings: Settings) -> dict[str, str]:
    return {letter.id: letter.reason for letter in JobDeadLetters(job, cluster, settings.patience)}


def _refuse_changed(
    served: IndexInfo, selection: Selection, mapping: IndexMapping, job: JobState | None, overlay: Path
) -> None:
    now = fingerprint_of(selection, mapping, "")
    for term in ("table", "_id", "--where"):
        if job is not None and job.fingerprint.get(term, now[term]) != now[term]:
            raise UsageError(
                f"{served.index} was made with {term} {job.fingerprint[term]!r}, which now is {now[term]!r}:"
                " give the same options as then, or reindex."
            )
    properties = mapping.mappings["properties"]
    changed = _changed(properties if isinstance(properties, dict) else {}, served.fields, "")
    if changed:
        raise UsageError(
            f"{served.index} was made with another mapping than {overlay} gives now: {'; '.join(changed[:3])};"
            " name the mapping file that it was made with by --mapping, or reindex."
        )


def _changed(wanted: JsonObject, there: JsonObject, above: str) -> list[str]:
    """The fields whose type is not what it would be now, and those that would not be there."""
    found = []
    for name in {**wanted, **there}:
        now, was = _type(wanted.get(name)), _type(there.get(name))
        if now != was and not (above and None in {now, was}):  # keys of objects come and go
            found.append(f"{above}{name} is {was or 'absent'} and would be {now or 'absent'}")
        elif now in OBJECTS:
            found += _changed(_below(wanted.get(name)), _below(there.get(name)), f"{above}{name}.")
    return found


def _type(definition: Json) -> str | None:
    return str(definition.get("type", "object")) if isinstance(definition, dict) else None


def _below(definition: Json) -> JsonObject:
    below = definition.get("properties") if isinstance(definition, dict) else None
    return below if isinstance(below, dict) else {}


_NAMED: Final = 3
"""Changed fields that a refusal names."""


def redefine(settings: Settings, state: JobState, served: IndexInfo, source: Source, cluster: Cluster) -> Definition:
    """Plan what a job read and how, from what is kept of it.

    Args:
        settings: the servers; and the mapping file, where it is not where it was.
        state: the job.
        served: the job's index.
        source: where the rows are.
        cluster: where the index is.

    Raises:
        UsageError: where the table or the mapping is not what it was; says what differs.
    """
    schema, _, name = state.table.rpartition(".")  # neither holds a dot in CrateDB
    table = source.describe(TableName(name, schema or None))
    given = settings.mapping or (Path(state.mapping_file) if state.mapping_file else None)
    overlay, origin = find_overlay(table, given)
    made = define(
        cluster,
        table,
        overlay,
        key=(state.fingerprint["--key"].split(", ")[0],),
        columns=kept_columns(table, overlay, state.columns),
        where=state.fingerprint["--where"] or None,
    )
    _refuse_redefined(made, state, served, origin)
    return made


def _refuse_redefined(made: Definition, state: JobState, served: IndexInfo, origin: str) -> None:
    # Rows are found by what makes `_id`: what else the key was made of does not matter.
    unasked = {name: state.fingerprint[name] for name in ("--key", "--strategy")}
    now = {**fingerprint_of(made.selection, made.mapping, ""), **unasked}
    changed = fingerprint_difference({**state.fingerprint, "mapping": now["mapping"]}, now)
    if not changed and state.fingerprint["mapping"] != now["mapping"]:
        changed = _changed_fields(made.mapping, served, origin)
    if changed:
        raise UsageError(
            f"The rows of {state.job} cannot be replayed as they were indexed, for {changed}:"
            " name the mapping file that it was made with by --mapping, or reindex."
        )


def _changed_fields(mapping: IndexMapping, served: IndexInfo, origin: str) -> str:
    found = mapping_differences(mapping.mappings, {"properties": served.fields}, {}, {})
    named = "; ".join(f"{one.name} was {one.live!r} and is {one.wanted!r}" for one in found[:_NAMED])
    return f"the mapping ({origin}) is another: {named or 'its settings differ'}"
