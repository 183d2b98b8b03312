"""Planning: everything that can be found out and decided before anything is created."""

from datetime import UTC, datetime
from typing import Final

from indexer.errors import Refused, SourceError
from indexer.job.counting import shard_rows
from indexer.job.definition import Definition, define
from indexer.job.overlay_file import find_overlay
from indexer.job.shards import lacking
from indexer.job.survey import survey
from indexer.model.identifier import parse_table_name
from indexer.model.job import RESUMABLE, JobState, difference
from indexer.model.key import KeyOrder, catch_up_key, may_move
from indexer.model.ledger import Left, whole
from indexer.model.page_size import COST
from indexer.model.plan import Plan
from indexer.model.selection import Selection, keyed
from indexer.model.table import Table
from indexer.model.terms import terms_of
from indexer.model.wanted import kept_columns
from indexer.model.window import Keyset, Offset, Range
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.target.capabilities import refuse_definition
from indexer.target.client import Cluster
from indexer.target.index import Indexes

__all__ = ["alias_of", "make_plan"]

_ROW: Final = 16
"""Bytes below which no row of a response comes: the brackets, the commas and a key."""

_SURVEYS: Final = 3
"""How often a table is surveyed whose shards have more rows than were counted: they may be deleted just then, too."""


def alias_of(settings: Settings) -> str:
    """The target: what `--index` names, else the table's name.

    Raises:
        Refused: where `--table` is not a table name.
    """
    return settings.index or parse_table_name(settings.table).name.lower()


def make_plan(settings: Settings, source: Source, cluster: Cluster, newest: JobState | None) -> Plan:
    """Look at both sides and decide; nothing is created.

    Args:
        settings: what the user wants.
        source: where the rows are.
        cluster: where they go.
        newest: the alias' newest job: where it is unfinished, the plan goes on with it.

    Raises:
        Refused: for bad input, in one sentence that names the thing and the remedy.
    """
    _refuse_small_memory(settings)
    table = source.describe(parse_table_name(settings.table))
    alias, indexes = alias_of(settings), Indexes(cluster)
    indexes.refuse_concrete(alias)
    made, overlay = _defined(settings, table, cluster)
    later = _later(settings, source, made.selection)
    terms = terms_of(made.selection, made.mapping, str(settings.strategy), settings.catch_up or "")
    _refuse_absent(source, table)
    unfinished = _unfinished(newest, indexes, terms, fresh=settings.fresh)
    job = unfinished.job if unfinished else indexes.new_name(alias, datetime.now(UTC))
    updates = unfinished.updates if unfinished else _updates(source, made.selection)
    left, since = (unfinished.left, unfinished.since) if unfinished else _divided(settings, source, made, later)
    return Plan(
        job=job,
        unfinished=unfinished,
        alias=alias,
        served=indexes.current(alias),
        selection=made.selection,
        left=left,
        later=later if settings.catch_up or since is not None else None,
        since=since,
        updates=updates,
        terms=terms,
        flat=not any(isinstance(window, Keyset | Offset) for part in left for window in part.windows),
        mapping=made.mapping,
        overlay=overlay,
        capabilities=made.capabilities,
        templates=indexes.matching_templates(job),
        page=settings.page,
    )


def _defined(settings: Settings, table: Table, cluster: Cluster) -> tuple[Definition, str]:
    """How documents are made, in a way that Elasticsearch takes, and where the overlay came from."""
    overlay, origin = find_overlay(table, settings.mapping)
    columns = kept_columns(table, overlay, settings.columns)
    made = define(cluster, table, overlay, key=settings.key, columns=columns, where=settings.where)
    refuse_definition(cluster, made.mapping.mappings, made.mapping.settings, origin)
    return made, origin


def _updates(source: Source, selection: Selection) -> int | None:
    """Before the slices are frozen, for a row that moves later than that may be missed."""
    return source.updates(selection) if may_move(selection.table, selection.key) else None


def _divided(
    settings: Settings, source: Source, made: Definition, later: Selection | None
) -> tuple[tuple[Left, ...], int | None]:
    """The table in slices, and the highest value that the rounds after the load go on from."""
    # Before the slices are frozen: a row that comes between the two is one that the catch-up finds.
    begin = source.bounds(later).hi if later and settings.catch_up else None
    left = _frozen(settings, source, made.selection)
    _refuse_absent(source, made.selection.table)  # a histogram without a shard's rows would freeze slices too short
    return left, begin if settings.catch_up else _highest(left)


def _frozen(settings: Settings, source: Source, selection: Selection) -> tuple[Left, ...]:
    """All of the table in slices, which hold no fewer rows than its shards did: one may be away just for a moment."""
    for _ in range(_SURVEYS):
        stored = shard_rows(source, selection) or 0
        left = whole(survey(source, selection, settings.strategy, settings.page))
        if sum(part.rows for part in left) >= stored:
            break
    return left


def _refuse_absent(source: Source, table: Table) -> None:
    try:
        absent = source.absent(table)
    except SourceError as error:
        if error.retryable:
            raise
        raise Refused(str(error)) from error
    if absent:
        raise Refused(f"{lacking(table, absent)}; bring its nodes back, or open what is closed.")


def _later(settings: Settings, source: Source, selection: Selection) -> Selection | None:
    """What rounds after the load are read by, where there is a column whose values grow."""
    if settings.catch_up is None:
        key = selection.key
        return selection if key.order is KeyOrder.NUMBER and source.has_flat_windows(key.lead) else None
    key = catch_up_key(selection.table, settings.catch_up)
    if not source.has_flat_windows(key.lead):
        raise Refused(
            f"--catch-up: {key.lead.name} is {key.lead.type.sql or key.lead.type.kind}, which has no windows in"
            f" {selection.table.version}: name an integer column."
        )
    return keyed(selection, key)


def _highest(left: tuple[Left, ...]) -> int | None:
    """The highest key of slices that are whole."""
    return max((window.hi for part in left for window in part.windows if isinstance(window, Range)), default=None)


def _unfinished(newest: JobState | None, indexes: Indexes, terms: dict[str, str], *, fresh: bool) -> JobState | None:
    """The job to go on with: not finished, its index still there, and the same in all that matters."""
    if newest is None or fresh or newest.status not in RESUMABLE:
        return None
    made = {one.name: one for one in indexes.made_by_us(newest.alias)}
    if newest.job not in made or made[newest.job].complete:
        return None
    changed = difference(newest.terms, terms)
    if changed:
        raise Refused(
            f"The unfinished job {newest.job} cannot be resumed, for {changed}:"
            " give the same options as then, or start anew with --fresh."
        )
    return newest


def _refuse_small_memory(settings: Settings) -> None:
    least = settings.page * _ROW * COST * settings.readers
    if settings.memory < least:
        fits = settings.memory // (_ROW * COST * settings.readers)
        raise Refused(
            f"--memory {settings.memory.human_readable()} is smaller than {settings.readers} pages of"
            f" {settings.page:,} rows can be: raise it to {least:,} bytes, or lower --page to {max(1, fits):,}."
        )
