"""The progress of a job: a bar for a terminal, a line every few seconds for a pipe."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from indexer.model.job.plan import Plan
from indexer.model.job.progress import Counters, Progress

__all__ = ["ProgressDisplay", "hit_progress"]

_LINE_SECONDS: Final = 5.0
_BAR_SECONDS: Final = 0.2


class ProgressDisplay:
    """Shows a job's counters on stderr until it is told to stop."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, plan: Plan, counters: Counters) -> None:
        """Show what the job will do, and then how far it is."""
        self.show("\nnote: ".join(filter(None, (_headline(plan), plan.selection.table.caveat))), counters)

    def show(self, headline: str, counters: Counters) -> None:
        """Show one line, and then how far the counters are."""
        if self._quiet:
            return
        console = Console(stderr=True)
        console.print(headline, highlight=False, markup=False, soft_wrap=True)
        show = self._bar if console.is_terminal else self._lines
        self._thread = threading.Thread(target=show, args=(console, counters), name="progress", daemon=True)
        self._thread.start()

    def _bar(self, console: Console, counters: Counters) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=None, state="")
            while not self._stop.wait(_BAR_SECONDS):
                now = counters.snapshot()
                done = now.rows_before + now.rows_indexed + now.dead_letters
                bar.update(task, description=now.phase, total=now.rows_expected, completed=done, state=status_line(now))

    def _lines(self, console: Console, counters: Counters) -> None:
        while not self._stop.wait(_LINE_SECONDS):
            now = counters.snapshot()
            console.print(f"{now.phase}: {status_line(now)}", highlight=False, markup=False, soft_wrap=True)

    def end(self) -> None:
        """Stop showing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()


@contextmanager
def progress_display(*, quiet: bool) -> Iterator[ProgressDisplay]:
    """A watch that ends with the block."""
    watch = ProgressDisplay(quiet=quiet)
    try:
        yield watch
    finally:
        watch.end()
        with suppress(OSError):  # the terminal is closed
            sys.stderr.flush()


def status_line(now: Progress) -> str:
    """A job's state in one line: rows, speed, what is left, and whatever is not as it should be."""
    parts = [f"{now.rows_indexed:,}" + (f" of {now.rows_expected:,} rows" if _is_share(now) else " rows")]
    if now.phase in {"loading", "comparing"}:
        parts += [f"{now.rows_per_second:,.0f} rows/s", f"{now.bytes_per_second / 1e6:.1f} MB/s"]
        if now.eta_seconds is not None:
            parts.append(f"{_duration(now.eta_seconds)} left")
    if now.retries:
        parts.append(f"{now.retries:,} retries")
    if now.dead_letters:
        parts.append(f"{now.dead_letters:,} dead letters")
    if now.slowed:
        parts.append(f"slowed to {now.slowed}")
    if now.waiting:
        parts.append(f"waiting: {now.waiting}")
    return " · ".join(parts)


def _is_share(now: Progress) -> bool:
    """Whether what is done is a part of what was counted; a catch-up does more."""
    return now.rows_expected is not None and now.rows_indexed <= now.rows_expected


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _headline(plan: Plan) -> str:
    table, key = plan.selection.table.name, plan.selection.key.column.name
    if plan.unfinished:
        done = sum(part.read for part in plan.slices)
        return f"Resuming {plan.job}: {done:,} of {plan.rows:,} rows of {table} are done, the alias is {plan.alias}"
    return (
        f"{table}: {plan.rows:,} rows in {len(plan.slices)} slices by {key} into {plan.job}, the alias is {plan.alias}"
    )


_STEP = 1_000
"""Hits between two steps of the bar: a step for each would cost more than the hit."""


@contextmanager
def hit_progress() -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Functions to call with the total, once, and with the number of hits so far, for each."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("hits", total=None)

        def begin(total: int) -> None:
            progress.update(task, total=total)

        def advance(count: int) -> None:
            if count % _STEP == 0:
                progress.update(task, completed=count)

        yield begin, advance
