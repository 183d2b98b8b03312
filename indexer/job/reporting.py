"""The report of a job that is done."""

from pathlib import Path

from indexer.job.memory import peak_rss
from indexer.job.rounds import Rounds
from indexer.model.plan import Plan
from indexer.model.progress import Counters, Progress
from indexer.model.report import Report
from indexer.settings import Settings

__all__ = ["make_report"]


def make_report(
    settings: Settings,
    plan: Plan,
    rounds: Rounds,
    counters: Counters,
    loaded: Progress,
    *,
    in_index: int,
    deleted: tuple[str, ...],
    checkpoint_cpu_seconds: float,
    letters: Path,
) -> Report:
    """Tell what a job did.

    Args:
        settings: what the user wanted.
        plan: what was to be done.
        rounds: what was read.
        counters: how long pages took.
        loaded: the counters at the end of the load.
        in_index: documents in the index.
        deleted: older indexes that were deleted.
        checkpoint_cpu_seconds: see `Report`.
        letters: the file of dead letters.
    """
    p50, p95 = counters.page_milliseconds()
    return Report(
        job=plan.job,
        table=str(plan.selection.table.name),
        index=plan.job,
        alias=plan.alias,
        switched=settings.switch,
        resumed=plan.unfinished is not None,
        rows_read=sum(part.read for part in rounds.loaded),
        rows_indexed=in_index,
        rows_caught_up=rounds.caught_up,
        dead_letters=rounds.dead,
        nulled=loaded.nulled,
        seconds=round(loaded.seconds, 3),
        rows_per_second=round(loaded.rows_per_second, 1),
        pages=loaded.pages,
        page_ms_p50=round(p50, 2),
        page_ms_p95=round(p95, 2),
        checkpoint_cpu_seconds=round(checkpoint_cpu_seconds, 3),
        peak_rss_bytes=peak_rss(),
        strategy=str(settings.strategy),
        key=",".join(plan.selection.key.names),
        dead_letter_file=str(letters) if rounds.dead else None,
        deleted=deleted,
        caveat=plan.selection.table.caveat,
    )
