"""`indexer replay`: index the rows of a job's dead letters once they are fixed."""

from typing import Annotated

import orjson
import typer

from indexer.cli.command import command
from indexer.job.replay import replay
from indexer.model.job.report import ReplayReport
from indexer.option import OptionGroup
from indexer.settings import Settings

__all__ = ["replay_command", "replay_text"]


@command(
    *("mapping", "page", "memory", "batch_bytes", "patience", "jobs_index", "as_json"),
    OptionGroup.SOURCE,
    OptionGroup.TARGET,
)
def replay_command(
    settings: Settings,
    job: Annotated[str, typer.Argument(help="The job, as `indexer jobs` lists it.", metavar="JOB")],
) -> int:
    """Reads those rows from the table again, and keeps the dead letters that Elasticsearch still rejects.

    Examples:
      indexer jobs
      indexer replay logs_20261122_101500
      indexer replay logs_20261122_101500 --json

    The table, its condition and its mapping are those of the job; add --mapping if the mapping file has moved. Rows
    that are gone from the table are reported, and their dead letters dropped.

    Exit codes: 0 no dead letters remain, 1 failed, 2 refused, 3 some remain, 130 interrupted.
    """
    report = replay(settings, job, waiting=lambda reason: typer.echo(f"waiting: {reason}", err=True))
    if settings.as_json:
        typer.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    else:
        typer.echo(replay_text(report))
    return report.exit_code


def replay_text(report: ReplayReport) -> str:
    """The report in a few lines."""
    if not report.found and not report.remaining:
        return f"{report.job} has no dead letters."
    lines = [f"Indexed {report.indexed:,} of {report.found:,} dead letters of {report.job} into {report.index}."]
    if report.gone:
        more = ", ..." if report.gone > len(report.gone_ids) else ""
        lines.append(f"No longer in {report.table}: {report.gone:,}, {', '.join(report.gone_ids)}{more}.")
    if report.remaining:
        kept = " and ".join(filter(None, (report.dead_letter_file, report.dead_letter_index)))
        lines.append(f"Still rejected: {report.remaining:,}, kept in {kept}. Fix their rows, then run this again.")
        lines += [f"  {reason}" for reason in report.reasons]
    if report.elsewhere:
        lines.append(f"Of these, {report.elsewhere:,} are in files on other machines that ran the job; run this there.")
    return "\n".join(lines)
