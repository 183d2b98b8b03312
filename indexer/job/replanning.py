"""Making documents as a job that ended made them: its plan once more, or a refusal that says what changed."""

from pathlib import Path
from typing import Final

from indexer.errors import Refused
from indexer.job.definition import Definition, define
from indexer.job.overlay_file import find_overlay
from indexer.model.identifier import TableName
from indexer.model.job import JobState, difference
from indexer.model.mapping import Mapping
from indexer.model.mapping_difference import differences
from indexer.model.terms import terms_of
from indexer.model.wanted import kept_columns
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.target.client import Cluster
from indexer.target.scan import Served

__all__ = ["as_then"]

_NAMED: Final = 3
"""Changed fields that a refusal names."""


def as_then(settings: Settings, state: JobState, served: Served, source: Source, cluster: Cluster) -> Definition:
    """Plan what a job read and how, from what is kept of it.

    Args:
        settings: the servers; and the mapping file, where it is not where it was.
        state: the job.
        served: the job's index.
        source: where the rows are.
        cluster: where the index is.

    Raises:
        Refused: where the table or the mapping is not what it was; says what differs.
    """
    schema, _, name = state.table.rpartition(".")  # neither holds a dot in CrateDB
    table = source.describe(TableName(name, schema or None))
    given = settings.mapping or (Path(state.mapping_file) if state.mapping_file else None)
    overlay, origin = find_overlay(table, given)
    made = define(
        cluster,
        table,
        overlay,
        key=(state.terms["--key"].split(", ")[0],),
        columns=kept_columns(table, overlay, state.columns),
        where=state.terms["--where"] or None,
    )
    _refuse_changed(made, state, served, origin)
    return made


def _refuse_changed(made: Definition, state: JobState, served: Served, origin: str) -> None:
    # Rows are found by what makes `_id`: what else the key was made of does not matter.
    unasked = {name: state.terms[name] for name in ("--key", "--strategy")}
    now = {**terms_of(made.selection, made.mapping, ""), **unasked}
    changed = difference({**state.terms, "mapping": now["mapping"]}, now)
    if not changed and state.terms["mapping"] != now["mapping"]:
        changed = _changed_fields(made.mapping, served, origin)
    if changed:
        raise Refused(
            f"The rows of {state.job} cannot be replayed as they were indexed, for {changed}:"
            " name the mapping file that it was made with by --mapping, or reindex."
        )


def _changed_fields(mapping: Mapping, served: Served, origin: str) -> str:
    found = differences(mapping.mappings, {"properties": served.fields}, {}, {})
    named = "; ".join(f"{one.name} was {one.live!r} and is {one.wanted!r}" for one in found[:_NAMED])
    return f"the mapping ({origin}) is another: {named or 'its settings differ'}"
