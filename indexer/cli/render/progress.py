"""The progress of a job: a bar for a terminal, a line every few seconds for a pipe."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from indexer.cli.render.console import counted, plain_console
from indexer.model.job.plan import Plan
from indexer.model.job.progress import Counters, Progress

__all__ = ["ProgressDisplay", "hit_progress"]

_LINE_SECONDS: Final = 5.0
_BAR_SECONDS: Final = 0.2


class ProgressDisplay:
    """Shows a job's counters on stderr until `end` is called."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, plan: Plan, counters: Counters) -> None:
        """Show what the job will do, and then its progress."""
        self.show("\nnote: ".join(filter(None, (_headline(plan), plan.selection.table.caveat))), counters)

    def show(self, headline: str, counters: Counters) -> None:
        """Show one line, and then the counters' progress."""
        if self._quiet:
            return
        console = plain_console(stderr=True)
        console.print(headline, soft_wrap=True)
        show = self._bar if console.is_terminal else self._lines
        self._thread = threading.Thread(target=show, args=(console, counters), name="progress", daemon=True)
        self._thread.start()

    def _bar(self, console: Console, counters: Counters) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}", markup=False),
        )
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=None, state="")
            while not self._stop.wait(_BAR_SECONDS):
                now = counters.snapshot()
                bar.update(
                    task,
                    description=now.phase,
                    total=now.rows_expected,
                    completed=now.rows_done,
                    state=status_line(now),
                )

    def _lines(self, console: Console, counters: Counters) -> None:
        while not self._stop.wait(_LINE_SECONDS):
            now = counters.snapshot()
            console.print(f"{now.phase}: {status_line(now)}", soft_wrap=True)

    def end(self) -> None:
        """Stop showing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()


@contextmanager
def progress_display(*, quiet: bool) -> Iterator[ProgressDisplay]:
    """A display that ends with the block."""
    display = ProgressDisplay(quiet=quiet)
    try:
        yield display
    finally:
        display.end()
        with suppress(OSError):  # the terminal is closed
            sys.stderr.flush()


def status_line(now: Progress) -> str:
    """A job's state in one line: rows, speed, time remaining, and whatever slows it down."""
    parts = [_rows(now)]
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


def _rows(now: Progress) -> str:
    """The rows that are done, of those that were counted; a catch-up does more than were counted."""
    if now.rows_expected is None or now.rows_done > now.rows_expected:
        return f"{now.rows_done:,} rows"
    return f"{now.rows_done:,} of {now.rows_expected:,} rows"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _headline(plan: Plan) -> str:
    table, key = plan.selection.table.name, plan.selection.key.column.name
    if plan.unfinished:
        done = sum(slice_.read for slice_ in plan.slices)
        return f"Resuming {plan.job}: {done:,} of {plan.rows:,} rows of {table} done; alias {plan.alias}"
    slices = counted(len(plan.slices), "slice")
    return f"{table}: {plan.rows:,} rows in {slices} by {key}, into {plan.job}; alias {plan.alias}"


_UPDATE_EVERY = 1_000
"""Hits between two updates of the bar: an update for each would cost more than the hit."""


@contextmanager
def hit_progress() -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Two functions: one to call once with the total, one to call with the number of hits so far."""
    console = plain_console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("hits", total=None)

        def begin(total: int) -> None:
            progress.update(task, total=total)

        def advance(count: int) -> None:
            if count % _UPDATE_EVERY == 0:
                progress.update(task, completed=count)

        yield begin, advance
