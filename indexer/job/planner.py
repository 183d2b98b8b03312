"""Planning: everything that can be found out and decided before anything is created."""

from datetime import UTC, datetime
from math import ceil
from typing import Final

from indexer.errors import SourceError, UsageError
from indexer.job.counts import shard_rows
from indexer.job.overlay_file import find_overlay
from indexer.job.provenance import Definition, define
from indexer.job.shards import absent_text
from indexer.model.job.checkpoint import SliceProgress, unread
from indexer.model.job.plan import Plan
from indexer.model.job.state import RESUMABLE, JobState, fingerprint_difference, fingerprint_of
from indexer.model.mapping.rules import kept_columns
from indexer.model.paging.page_size import COST
from indexer.model.paging.prefix_walk import to_prefixes, utf16_units
from indexer.model.paging.slice import Slice, bin_width, number_slices, text_slices
from indexer.model.paging.window import Keyset, Offset, Prefix, PrefixCount, Range, TieGroup
from indexer.model.table.key import KeyOrder, catch_up_key, key_may_change
from indexer.model.table.selection import Selection, with_key
from indexer.model.table.table import Table, parse_table_name
from indexer.settings import Settings, Strategy
from indexer.sink.capabilities import refuse_definition
from indexer.sink.client import Cluster
from indexer.sink.index import Indexes
from indexer.source.protocol import Bounds, Reader, Source

__all__ = ["alias_of", "make_plan", "slice_table"]

_SLICES: Final = 256
"""At most this many slices: enough to share out, few enough to keep a checkpoint of."""

_PAGES_A_SLICE: Final = 8
"""At least this many pages a slice, so that windows find their width once and keep it."""

_DEPTH: Final = 16
"""How many characters of a common beginning are looked behind for slices; the walks go on from there."""


def slice_table(source: Source, selection: Selection, strategy: Strategy, page: int) -> tuple[Slice, ...]:
    """Count the rows and freeze the slices.

    Raises:
        UsageError: where the source cannot parse `--where`.
    """
    bounds = source.bounds(selection)
    if strategy is Strategy.OFFSET:
        return (Slice(0, Offset(), bounds.rows),)
    if strategy is Strategy.KEYSET or not source.has_flat_windows(selection.key.column):
        return _whole(bounds)
    rows_a_slice = max(page * _PAGES_A_SLICE, ceil(bounds.rows / _SLICES))
    if selection.key.order is KeyOrder.TEXT:
        return _text(source, selection, bounds, rows_a_slice)
    return _numbers(source, selection, bounds, rows_a_slice)


def _whole(bounds: Bounds) -> tuple[Slice, ...]:
    keyed = Slice(0, Keyset(), bounds.rows - bounds.nulls)
    return (keyed, Slice(1, TieGroup(None), bounds.nulls)) if bounds.nulls else (keyed,)


def _numbers(source: Source, selection: Selection, bounds: Bounds, rows_a_slice: int) -> tuple[Slice, ...]:
    if bounds.lo is None or bounds.hi is None:
        return number_slices((), width=1, nulls=bounds.nulls, rows_a_slice=rows_a_slice)
    width = bin_width(bounds.lo, bounds.hi)
    bins = source.bins(selection, width)
    return number_slices(bins, width=width, nulls=bounds.nulls, rows_a_slice=rows_a_slice)


def _text(source: Source, selection: Selection, bounds: Bounds, rows_a_slice: int) -> tuple[Slice, ...]:
    reader = source.reader(selection)
    try:
        prefixes = _refined(reader, (Prefix("", rows=bounds.rows - bounds.nulls),), rows_a_slice)
    finally:
        reader.close()
    return text_slices(prefixes, nulls=bounds.nulls, rows_a_slice=rows_a_slice)


def _refined(reader: Reader, prefixes: tuple[Prefix, ...], rows_a_slice: int) -> tuple[Prefix, ...]:
    """Replace each prefix that holds more than a slice by longer ones: keys often begin alike."""
    for _ in range(_DEPTH):
        if all(prefix.exact or prefix.rows <= rows_a_slice for prefix in prefixes):
            break
        prefixes = tuple(child for prefix in prefixes for child in _children(reader, prefix, rows_a_slice))
    return prefixes


def _children(reader: Reader, prefix: Prefix, rows_a_slice: int) -> tuple[Prefix, ...]:
    if prefix.exact or prefix.rows <= rows_a_slice:
        return (prefix,)
    units = utf16_units(prefix.text) + 1
    return to_prefixes(reader.count_prefixes(PrefixCount(prefix.text, units)), units)


_ROW: Final = 16
"""Bytes below which no row of a response comes: the brackets, the commas and a key."""

_SURVEYS: Final = 3
"""How often a table is surveyed whose shards have more rows than were counted: they may be deleted just then, too."""


def alias_of(settings: Settings) -> str:
    """The target: what `--index` names, else the table's name.

    Raises:
        UsageError: where `--table` is not a table name.
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
        UsageError: for bad input, in one sentence that names the thing and the remedy.
    """
    _refuse_small_memory(settings)
    table = source.describe(parse_table_name(settings.table))
    alias, indexes = alias_of(settings), Indexes(cluster)
    indexes.refuse_concrete(alias)
    made, overlay = _defined(settings, table, cluster)
    later = _later(settings, source, made.selection)
    fingerprint = fingerprint_of(made.selection, made.mapping, str(settings.strategy), settings.catch_up or "")
    _refuse_absent(source, table)
    unfinished = _unfinished(newest, indexes, fingerprint, fresh=settings.fresh)
    job = unfinished.job if unfinished else indexes.new_name(alias, datetime.now(UTC))
    updates = unfinished.updates if unfinished else _updates(source, made.selection)
    slices, since = (unfinished.slices, unfinished.since) if unfinished else _divided(settings, source, made, later)
    return Plan(
        job=job,
        unfinished=unfinished,
        alias=alias,
        served=indexes.current(alias),
        selection=made.selection,
        slices=slices,
        later=later if settings.catch_up or since is not None else None,
        since=since,
        updates=updates,
        fingerprint=fingerprint,
        flat=not any(isinstance(window, Keyset | Offset) for part in slices for window in part.windows),
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
    return source.updates(selection) if key_may_change(selection.table, selection.key) else None


def _divided(
    settings: Settings, source: Source, made: Definition, later: Selection | None
) -> tuple[tuple[SliceProgress, ...], int | None]:
    """The table in slices, and the highest value that the passes after the load go on from."""
    # Before the slices are frozen: a row that comes between the two is one that the catch-up finds.
    begin = source.bounds(later).hi if later and settings.catch_up else None
    slices = _frozen(settings, source, made.selection)
    _refuse_absent(source, made.selection.table)  # a histogram without a shard's rows would freeze slices too short
    return slices, begin if settings.catch_up else _highest(slices)


def _frozen(settings: Settings, source: Source, selection: Selection) -> tuple[SliceProgress, ...]:
    """All of the table in slices, which hold no fewer rows than its shards did: one may be away just for a moment."""
    for _ in range(_SURVEYS):
        stored = shard_rows(source, selection) or 0
        slices = unread(slice_table(source, selection, settings.strategy, settings.page))
        if sum(part.rows for part in slices) >= stored:
            break
    return slices


def _refuse_absent(source: Source, table: Table) -> None:
    try:
        absent = source.absent(table)
    except SourceError as error:
        if error.retryable:
            raise
        raise UsageError(str(error)) from error
    if absent:
        raise UsageError(f"{absent_text(table, absent)}; bring its nodes back, or open what is closed.")


def _later(settings: Settings, source: Source, selection: Selection) -> Selection | None:
    """What passes after the load are read by, where there is a column whose values grow."""
    if settings.catch_up is None:
        key = selection.key
        return selection if key.order is KeyOrder.NUMBER and source.has_flat_windows(key.column) else None
    key = catch_up_key(selection.table, settings.catch_up)
    if not source.has_flat_windows(key.column):
        raise UsageError(
            f"--catch-up: {key.column.name} is {key.column.type.sql or key.column.type.kind}, which has no windows in"
            f" {selection.table.version}: name an integer column."
        )
    return with_key(selection, key)


def _highest(slices: tuple[SliceProgress, ...]) -> int | None:
    """The highest key of slices that are whole."""
    return max((window.hi for part in slices for window in part.windows if isinstance(window, Range)), default=None)


def _unfinished(
    newest: JobState | None, indexes: Indexes, fingerprint: dict[str, str], *, fresh: bool
) -> JobState | None:
    """The job to go on with: not finished, its index still there, and the same in all that matters."""
    if newest is None or fresh or newest.status not in RESUMABLE:
        return None
    made = {one.name: one for one in indexes.made_by_us(newest.alias)}
    if newest.job not in made or made[newest.job].complete:
        return None
    changed = fingerprint_difference(newest.fingerprint, fingerprint)
    if changed:
        raise UsageError(
            f"The unfinished job {newest.job} cannot be resumed, for {changed}:"
            " give the same options as then, or start anew with --fresh."
        )
    return newest


def _refuse_small_memory(settings: Settings) -> None:
    least = settings.page * _ROW * COST * settings.readers
    if settings.memory < least:
        fits = settings.memory // (_ROW * COST * settings.readers)
        raise UsageError(
            f"--memory {settings.memory.human_readable()} is smaller than {settings.readers} pages of"
            f" {settings.page:,} rows can be: raise it to {least:,} bytes, or lower --page to {max(1, fits):,}."
        )
