"""What a verification is about: an index, the table it was made of, and how documents are made of its rows."""

from dataclasses import dataclass
from pathlib import Path

from indexer.errors import Refused
from indexer.job.definition import define
from indexer.job.overlay_file import find_overlay
from indexer.job.recorded import Recorded
from indexer.model.field_type import OBJECTS
from indexer.model.identifier import TableName, parse_table_name
from indexer.model.job import JobState
from indexer.model.json import Json, JsonObject
from indexer.model.mapping import Mapping
from indexer.model.overlay import Overlay
from indexer.model.selection import Selection
from indexer.model.table import Table
from indexer.model.terms import terms_of
from indexer.model.wanted import kept_columns
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.target.client import Cluster
from indexer.target.index import PRODUCT
from indexer.target.jobs import Jobs
from indexer.target.scan import Served, look

__all__ = ["Subject", "find_subject"]


@dataclass(frozen=True, slots=True)
class Subject:
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

    served: Served
    alias: str
    selection: Selection
    mapping: Mapping
    left_out: tuple[str, ...]
    dead_letters: int
    rejected: dict[str, str]


def find_subject(settings: Settings, source: Source, cluster: Cluster, jobs: Jobs) -> Subject:
    """Find out how the index was made, and that its documents can still be made so.

    Raises:
        Refused: for bad input, or where the overlay, the `_id` or the filter is not what the index was made with; the
            sentence says what differs.
    """
    served = look(cluster, settings.index or parse_table_name(settings.table).name.lower())
    _refuse_foreign(served)
    table = source.describe(_table(settings, served))
    overlay, origin = find_overlay(table, settings.mapping)
    columns, left_out = _columns(table, overlay, settings, served)
    job = _job(jobs, served)
    where = settings.where if settings.where is not None else _where(job)
    made = define(cluster, table, overlay, key=settings.key, columns=columns, where=where)
    _refuse_changed(served, made.selection, made.mapping, job, settings.mapping or Path(origin))
    dead_letters = job.dead_letters if job else 0
    return Subject(
        served=served,
        alias=job.alias if job else served.alias,
        selection=made.selection,
        mapping=made.mapping,
        left_out=left_out,
        dead_letters=dead_letters,
        rejected=_rejected(job, cluster, settings) if job and dead_letters else {},
    )


def _refuse_foreign(served: Served) -> None:
    if served.meta.get("product") != PRODUCT:
        raise Refused(
            f"{served.index} was not made by reindex, so nothing tells what its documents should be: name an index that"
            " was with --index."
        )
    if served.synthetic:
        raise Refused(
            f"{served.index} keeps no _source as it was sent (synthetic), so fields cannot be compared:"
            " reindex with another setting of index.mapping.source.mode."
        )


def _table(settings: Settings, served: Served) -> TableName:
    if "table" in settings.model_fields_set or "table" not in served.meta:
        return parse_table_name(settings.table)
    schema, _, name = str(served.meta["table"]).rpartition(".")  # neither holds a dot in CrateDB
    return TableName(name, schema or None)


def _columns(
    table: Table, overlay: Overlay, settings: Settings, served: Served
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that the index has a field of, and those that it has not."""
    kept = kept_columns(table, overlay, settings.columns)
    if settings.columns:
        return kept, ()
    found = tuple(name for name in kept if _field_name(name, overlay) in served.fields)
    if not found:
        raise Refused(f"{served.index} has no field of {table.name}: name the table that it was made of with --table.")
    return found, tuple(name for name in kept if name not in found)


def _field_name(column: str, overlay: Overlay) -> str:
    option = overlay.fields.get(column)
    return (option.rename if option else None) or column


def _job(jobs: Jobs, served: Served) -> JobState | None:
    name = served.meta.get("job")
    return next((state for state in jobs.all() if state.job == name), None)


def _where(job: JobState | None) -> str | None:
    return (job.terms.get("--where") or None) if job else None


def _rejected(job: JobState, cluster: Cluster, settings: Settings) -> dict[str, str]:
    return {letter.id: letter.reason for letter in Recorded(job, cluster, settings.patience)}


def _refuse_changed(
    served: Served, selection: Selection, mapping: Mapping, job: JobState | None, overlay: Path
) -> None:
    now = terms_of(selection, mapping, "")
    for term in ("table", "_id", "--where"):
        if job is not None and job.terms.get(term, now[term]) != now[term]:
            raise Refused(
                f"{served.index} was made with {term} {job.terms[term]!r}, which now is {now[term]!r}:"
                " give the same options as then, or reindex."
            )
    properties = mapping.mappings["properties"]
    changed = _changed(properties if isinstance(properties, dict) else {}, served.fields, "")
    if changed:
        raise Refused(
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
