"""Whether a source can be read whole: CrateDB answers without the rows of unavailable shards, and does not say so."""

from collections.abc import Callable, Sequence
from typing import Final

from indexer.errors import ShardsUnavailable, SourceUnavailable
from indexer.job.context import JobContext
from indexer.model.table.table import Table
from indexer.retry import Retrier
from indexer.source.protocol import Source

__all__ = ["refuse_absent", "unavailable_text", "unreadable_reason", "wait_for_shards"]

_NAMED: Final = 3
"""Absent shards that a message names."""

_CHECK_SECONDS: Final = 1.0
"""Seconds between two checks."""


def unavailable_text(table: Table, absent: Sequence[str]) -> str:
    """What a table lacks that cannot be read whole; the caller says what helps."""
    more = f"; and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    return f"{table.name} cannot be read whole: {'; '.join(absent[:_NAMED])}{more}"


def refuse_absent(source: Source, table: Table, remedy: str) -> None:
    """Refuse a table that cannot be read whole at this moment.

    Args:
        source: where the table is.
        table: the table.
        remedy: what helps, to follow "bring its nodes back": `and verify again`.

    Raises:
        ShardsUnavailable: where it lacks shards, or a partition is closed.
        SourceError: where the source fails.
    """
    absent = source.unavailable_shards(table)
    if absent:
        raise ShardsUnavailable(f"{unavailable_text(table, absent)}; bring its nodes back{remedy}.")


def unreadable_reason(source: Source, table: Table) -> str:
    """Why the table cannot be read whole at this moment; empty where it can."""
    try:
        refuse_absent(source, table, ", open what is closed, and run the same command again to resume")
    except ShardsUnavailable as error:
        return str(error)
    except SourceUnavailable as error:  # without an answer, nobody knows whether the shards are there
        return f"{table.name} may lack shards: the source does not say ({error})"
    return ""


def wait_for_shards(context: JobContext, table: Table, first: ShardsUnavailable, hold: Callable[[], None]) -> None:
    """Wait until the table can be read whole.

    Args:
        context: the source, and how long to wait.
        table: the table.
        first: the error that began the wait.
        hold: called every second.

    Raises:
        ShardsUnavailable: once the policy's time is up.
    """
    policy = context.limits.retry.every(_CHECK_SECONDS)
    attempts = Retrier(policy, on_wait=lambda reason, _seconds: context.show_wait(reason)).attempts()
    while reason := unreadable_reason(context.source, table):
        try:
            attempts.wait(ShardsUnavailable(reason))
        except ShardsUnavailable as error:
            raise error from first
        hold()
