"""Planning: everything that can be found out and decided before anything is created."""

from datetime import UTC, datetime
from typing import Final

from indexer.errors import Refused, SourceError
from indexer.job.overlay_file import find_overlay
from indexer.job.shards import lacking
from indexer.job.survey import survey
from indexer.model.identifier import parse_table_name
from indexer.model.job import RESUMABLE, JobState, difference
from indexer.model.key import KeyOrder, catch_up_key, choose_key
from indexer.model.ledger import Left, whole
from indexer.model.mapping import build_mapping
from indexer.model.page_size import COST
from indexer.model.plan import Plan
from indexer.model.selection import Selection, keyed, select
from indexer.model.table import Table
from indexer.model.terms import terms_of
from indexer.model.wanted import kept_columns, needs
from indexer.model.window import Keyset, Offset, Range
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.target.capabilities import probe
from indexer.target.client import Cluster
from indexer.target.index import Indexes

__all__ = ["alias_of", "make_plan"]

_ROW: Final = 16
"""Bytes below which no row of a response comes: the brackets, the commas and a key."""


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
    overlay, origin = find_overlay(table, settings.mapping)
    key = choose_key(table, settings.key)
    columns = kept_columns(table, overlay, settings.columns)
    selection = select(table, key, columns=columns, where=settings.where, id_columns=overlay.id_columns)
    indexes = Indexes(cluster)
    alias = alias_of(settings)
    indexes.refuse_concrete(alias)
    capabilities = probe(cluster, *needs(selection, overlay))
    mapping = build_mapping(selection, overlay, capabilities)
    later = _later(settings, source, selection)
    terms = terms_of(selection, mapping, str(settings.strategy), settings.catch_up or "")
    _refuse_absent(source, table)
    unfinished = _unfinished(newest, indexes, terms, fresh=settings.fresh)
    job = unfinished.job if unfinished else indexes.new_name(alias, datetime.now(UTC))
    # Before the slices are frozen: a row that comes between the two is one that the catch-up finds.
    begin = source.bounds(later).hi if later and settings.catch_up and not unfinished else None
    left = unfinished.left if unfinished else whole(survey(source, selection, settings.strategy, settings.page))
    _refuse_absent(source, table)  # again: a histogram without a shard's rows would freeze slices too short
    since = unfinished.since if unfinished else begin if settings.catch_up else _highest(left)
    return Plan(
        job=job,
        unfinished=unfinished,
        alias=alias,
        served=indexes.current(alias),
        selection=selection,
        left=left,
        later=later if settings.catch_up or since is not None else None,
        since=since,
        terms=terms,
        flat=not any(isinstance(window, Keyset | Offset) for part in left for window in part.windows),
        mapping=mapping,
        overlay=origin,
        capabilities=capabilities,
        templates=indexes.matching_templates(job),
        page=settings.page,
    )


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
