"""Planning: everything that can be found out and decided before anything is created."""

from datetime import UTC, datetime
from math import ceil
from typing import Final

from indexer.errors import ShardsUnavailable, SourceError, UsageError
from indexer.job.context import JobContext
from indexer.job.overlay_file import find_overlay
from indexer.job.provenance import define, mapping_change
from indexer.job.shards import refuse_absent
from indexer.job.slices import freeze_slices
from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.plan import Plan
from indexer.model.job.state import RESUMABLE, JobState, fingerprint_difference, fingerprint_of
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.paging.page_size import MEMORY_FACTOR
from indexer.model.paging.window import Keyset, Offset, Range
from indexer.model.table.key import KeyOrder, catch_up_key, key_may_change
from indexer.model.table.selection import Selection, with_key
from indexer.model.table.table import Table, parse_table_name
from indexer.pipeline.pipeline import Limits
from indexer.settings import Settings
from indexer.sink.capabilities import refuse_definition
from indexer.sink.index import Indexes
from indexer.sink.snapshot import read_index_info
from indexer.source.protocol import Source

__all__ = ["make_plan"]

_ROW_BYTES: Final = 16
"""Bytes of a response that each row has at least: the brackets, the commas and a key."""

_MIB: Final = 1024 * 1024


def make_plan(settings: Settings, context: JobContext, newest: JobState | None) -> Plan:
    """Look at both sides and decide; nothing is created. This is where a job's settings are read.

    Args:
        settings: what the user wants.
        context: both servers.
        newest: the alias' newest job; where it is unfinished, the plan resumes it.

    Raises:
        UsageError: for bad input, in one sentence that names the thing and the remedy.
    """
    _refuse_small_memory(context.limits)
    source, cluster, indexes = context.source, context.cluster, Indexes(context.cluster)
    table = source.describe(parse_table_name(settings.table))
    alias, strategy = settings.alias, settings.strategy
    indexes.refuse_concrete(alias)
    overlay, origin = find_overlay(table, settings.mapping)
    definition = define(cluster, table, overlay, key=settings.key, columns=settings.columns, where=settings.where)
    refuse_definition(cluster, definition.mapping.mappings, definition.mapping.settings, origin)
    later = _later(source, definition.selection, settings.catch_up)
    fingerprint = fingerprint_of(definition.selection, definition.mapping, str(strategy), settings.catch_up or "")
    _refuse_absent(source, table)
    unfinished = None if settings.fresh else _unfinished(context, newest, fingerprint, definition.mapping)
    if unfinished:
        job, updates, slices, since = unfinished.job, unfinished.updates, unfinished.slices, unfinished.since
    else:
        job, updates = indexes.new_name(alias, datetime.now(UTC)), _updates(source, definition.selection)
        # Before the slices are frozen: a row that comes between the two is one that the catch-up finds.
        begin = source.bounds(later).hi if later and settings.catch_up else None
        slices = freeze_slices(source, definition.selection, strategy, settings.page)
        _refuse_absent(source, table)  # a histogram without a shard's rows would freeze slices too short
        since = begin if settings.catch_up else _highest(slices)
    return Plan(
        job=job,
        unfinished=unfinished,
        alias=alias,
        served=indexes.current(alias),
        selection=definition.selection,
        slices=slices,
        later=later if settings.catch_up or since is not None else None,
        since=since,
        updates=updates,
        fingerprint=fingerprint,
        strategy=str(strategy),
        flat=_is_flat(slices),
        mapping=definition.mapping,
        overlay=origin,
        capabilities=definition.capabilities,
        templates=indexes.matching_templates(job),
        page=settings.page,
        catch_up=settings.catch_up is not None,
        switch=settings.switch,
        keep=settings.keep,
        max_failures=settings.max_failures,
        mapping_file=str(settings.mapping.resolve()) if settings.mapping else "",
        dead_letter_index=settings.dead_letter_index or (unfinished.dead_letter_index if unfinished else ""),
    )


def _updates(source: Source, selection: Selection) -> int | None:
    """The counter of updates before the slices are frozen: a row that moves later may be missed."""
    return source.update_checksum(selection) if key_may_change(selection.table, selection.key) else None


def _is_flat(slices: tuple[SliceProgress, ...]) -> bool:
    return not any(isinstance(window, Keyset | Offset) for progress in slices for window in progress.windows)


def _highest(slices: tuple[SliceProgress, ...]) -> int | None:
    """The highest key of slices that nothing was read of."""
    windows = (window for progress in slices for window in progress.windows)
    return max((window.hi for window in windows if isinstance(window, Range)), default=None)


def _refuse_absent(source: Source, table: Table) -> None:
    try:
        refuse_absent(source, table, ", or open what is closed")
    except ShardsUnavailable as error:
        raise UsageError(str(error)) from error
    except SourceError as error:
        if error.retryable:
            raise
        raise UsageError(str(error)) from error


def _later(source: Source, selection: Selection, catch_up: str | None) -> Selection | None:
    """What passes after the load are read by, where there is a column whose values grow."""
    if catch_up is None:
        key = selection.key
        return selection if key.order is KeyOrder.NUMBER and source.has_flat_windows(key.column) else None
    key = catch_up_key(selection.table, catch_up)
    if not source.has_flat_windows(key.column):
        raise UsageError(
            f"--catch-up: {key.column.name} is {key.column.type.sql or key.column.type.kind}, which has no windows in"
            f" {selection.table.version}; name an integer column."
        )
    return with_key(selection, key)


def _unfinished(
    context: JobContext, newest: JobState | None, fingerprint: dict[str, str], mapping: IndexMapping
) -> JobState | None:
    """The job to resume: not finished, its index still there, and the same in all that matters."""
    if newest is None or newest.status not in RESUMABLE:
        return None
    indexes = {index.name: index for index in Indexes(context.cluster).own(newest.alias)}
    if newest.job not in indexes or indexes[newest.job].complete:
        return None
    now = {**fingerprint, "mapping": newest.fingerprint["mapping"]}
    changed = fingerprint_difference(newest.fingerprint, now)
    if not changed and newest.fingerprint != fingerprint:
        changed = mapping_change(mapping, read_index_info(context.cluster, newest.job))
    if changed:
        raise UsageError(f"Cannot resume job {newest.job}: {changed}; use the original options, or --fresh.")
    return newest


def _refuse_small_memory(limits: Limits) -> None:
    page_bytes = limits.page * _ROW_BYTES * MEMORY_FACTOR
    required = page_bytes * limits.readers
    if limits.memory < required:
        fitting = max(1, limits.memory // (_ROW_BYTES * MEMORY_FACTOR * limits.readers))
        raise UsageError(
            f"--memory {_shown(limits.memory)} is too small for {limits.readers} readers and pages of"
            f" {limits.page:,} rows; it needs at least {ceil(required / _MIB)}MiB, or --page {fitting}."
        )


def _shown(size: int) -> str:
    return f"{size // _MIB}MiB" if size >= _MIB else f"{size:,} bytes"
