"""Planning: everything that can be found out and decided before anything is created."""

from datetime import UTC, datetime
from typing import Final

from indexer.errors import Refused
from indexer.job.overlay_file import find_overlay
from indexer.job.survey import survey
from indexer.model.identifier import parse_table_name
from indexer.model.key import choose_key
from indexer.model.mapping import build_mapping
from indexer.model.page_size import COST
from indexer.model.plan import Plan
from indexer.model.selection import select
from indexer.model.wanted import kept_columns, needs
from indexer.model.window import Keyset, Offset
from indexer.settings import Settings
from indexer.source.base import Source
from indexer.target.capabilities import probe
from indexer.target.client import Cluster
from indexer.target.index import Indexes

__all__ = ["make_plan"]

_ROW: Final = 16
"""Bytes below which no row of a response comes: the brackets, the commas and a key."""


def make_plan(settings: Settings, source: Source, cluster: Cluster) -> Plan:
    """Look at both sides and decide; nothing is created.

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
    alias = settings.index or table.name.name.lower()
    indexes.refuse_concrete(alias)
    capabilities = probe(cluster, *needs(selection, overlay))
    mapping = build_mapping(selection, overlay, capabilities)
    slices = survey(source, selection, settings.strategy, settings.page)
    job = indexes.new_name(alias, datetime.now(UTC))
    return Plan(
        job=job,
        alias=alias,
        served=indexes.current(alias),
        selection=selection,
        slices=slices,
        flat=not any(isinstance(part.window, Keyset | Offset) for part in slices),
        mapping=mapping,
        overlay=origin,
        capabilities=capabilities,
        templates=indexes.matching_templates(job),
        page=settings.page,
    )


def _refuse_small_memory(settings: Settings) -> None:
    least = settings.page * _ROW * COST * settings.readers
    if settings.memory < least:
        fits = settings.memory // (_ROW * COST * settings.readers)
        raise Refused(
            f"--memory {settings.memory.human_readable()} is smaller than {settings.readers} pages of"
            f" {settings.page:,} rows can be: raise it to {least:,} bytes, or lower --page to {max(1, fits):,}."
        )
