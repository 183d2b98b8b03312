"""The progress bar of `indexer search --all`, on stderr where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

__all__ = ["counted"]

_STEP = 1_000
"""Hits between two steps of the bar: a step for each would cost more than the hit."""


@contextmanager
def counted() -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Functions to call with the total, once, and with the number of hits so far, for each."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("hits", total=None)

        def begin(total: int) -> None:
            progress.update(task, total=total)

        def advance(count: int) -> None:
            if count % _STEP == 0:
                progress.update(task, completed=count)

        yield begin, advance
