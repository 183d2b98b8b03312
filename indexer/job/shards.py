"""Whether a source can be read whole: CrateDB answers without the rows of shards that are away, and says nothing."""

from typing import Final

from indexer.errors import SourceUnavailable
from indexer.model.table import Table
from indexer.source.base import Source

__all__ = ["incomplete"]

_NAMED: Final = 5
"""How many absent shards a message names."""


def incomplete(source: Source, table: Table) -> str:
    """Why the table cannot be read whole at this moment; empty where it can."""
    try:
        absent = source.absent(table)
    except SourceUnavailable as error:  # whoever cannot ask for the shards cannot know that they are there
        return f"The source does not tell whether its shards are there: {error}"
    return _missing(absent) if absent else ""


def _missing(absent: tuple[str, ...]) -> str:
    named = "; ".join(absent[:_NAMED]) + (f"; and {len(absent) - _NAMED} more" if len(absent) > _NAMED else "")
    return (
        f"The source is not complete: {named}. Bring its nodes back, open what is closed, and run the same command"
        " again to go on."
    )
