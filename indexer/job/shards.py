"""Whether a source can be read whole: CrateDB answers without the rows of shards that are away, and says nothing."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from indexer.errors import ShardsUnavailable, SourceUnavailable
from indexer.model.table.table import Table
from indexer.source.protocol import Source

__all__ = ["absent_text", "unreadable_reason", "wait_for_shards"]

_NAMED: Final = 3
"""How many absent shards a message names."""

_LOOK: Final = 1.0
"""Seconds between two looks."""


def absent_text(table: Table, absent: Sequence[str]) -> str:
    """What a table lacks that cannot be read whole; what then helps is for the caller to say."""
    more = f"; and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    return f"{table.name} cannot be read whole: {'; '.join(absent[:_NAMED])}{more}"


def unreadable_reason(source: Source, table: Table) -> str:
    """Why the table cannot be read whole at this moment; empty where it can."""
    try:
        absent = source.absent(table)
    except SourceUnavailable as error:  # whoever cannot ask for the shards cannot know that they are there
        return f"{table.name} may lack shards, for the source does not tell: {error}"
    if not absent:
        return ""
    return f"{absent_text(table, absent)}; bring its nodes back, open what is closed, and run the same command again to go on."


def wait_for_shards(
    source: Source, table: Table, away: ShardsUnavailable, patience: float, hold: Callable[[], None]
) -> None:
    """Wait until the table can be read whole.

    Args:
        source: where the table is.
        table: the table.
        away: what was seen first.
        patience: seconds to wait at most.
        hold: called every second.

    Raises:
        ShardsUnavailable: where patience ended.
    """
    until = time.monotonic() + patience
    while reason := unreadable_reason(source, table):
        if time.monotonic() > until:
            raise ShardsUnavailable(reason) from away
        time.sleep(_LOOK)
        hold()
