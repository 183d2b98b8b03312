"""Whether a source can be read whole: CrateDB answers without the rows of shards that are away, and says nothing."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from indexer.errors import ShardsAway, SourceUnavailable
from indexer.model.table import Table
from indexer.source.base import Source

__all__ = ["incomplete", "lacking", "wait_for_shards"]

_NAMED: Final = 3
"""How many absent shards a message names."""

_LOOK: Final = 1.0
"""Seconds between two looks."""


def lacking(table: Table, absent: Sequence[str]) -> str:
    """What a table lacks that cannot be read whole; what then helps is for the caller to say."""
    more = f"; and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    return f"{table.name} cannot be read whole: {'; '.join(absent[:_NAMED])}{more}"


def incomplete(source: Source, table: Table) -> str:
    """Why the table cannot be read whole at this moment; empty where it can."""
    try:
        absent = source.absent(table)
    except SourceUnavailable as error:  # whoever cannot ask for the shards cannot know that they are there
        return f"{table.name} may lack shards, for the source does not tell: {error}"
    if not absent:
        return ""
    return (
        f"{lacking(table, absent)}; bring its nodes back, open what is closed, and run the same command again to go on."
    )


def wait_for_shards(source: Source, table: Table, away: ShardsAway, patience: float, hold: Callable[[], None]) -> None:
    """Wait until the table can be read whole.

    Args:
        source: where the table is.
        table: the table.
        away: what was seen first.
        patience: seconds to wait at most.
        hold: called every second.

    Raises:
        ShardsAway: where patience ended.
    """
    until = time.monotonic() + patience
    while reason := incomplete(source, table):
        if time.monotonic() > until:
            raise ShardsAway(reason) from away
        time.sleep(_LOOK)
        hold()
