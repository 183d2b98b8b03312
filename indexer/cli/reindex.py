"""`indexer reindex`: load a table into a new index, verify it, move the alias."""

import orjson
import typer

from indexer.cli.command import command
from indexer.cli.render.console import counted
from indexer.cli.render.progress import progress_display
from indexer.job.reindex import reindex
from indexer.model.job.report import Report
from indexer.option import OptionGroup
from indexer.settings import Settings

__all__ = ["reindex_command", "report_text"]


@command(*OptionGroup)
def reindex_command(settings: Settings) -> int:
    """Readers keep using the old index until then. If a job is interrupted, the same command resumes it.

    Examples:
      reindex --table logs --page 10000
      reindex --source crate://db1:4200,db2:4200 --target https://es:9200
      reindex --table doc.logs --where "level <> 'DEBUG'" --index problems
      reindex --table logs --catch-up ts
      reindex --table logs --no-switch --json

    Each option can also be set in the environment or in indexer.toml: --max-failures is INDEXER_MAX_FAILURES there, or
    max_failures.

    Exit codes: 0 done, 1 failed, 2 refused before anything changed, 3 done with dead letters, 4 verification failed,
    130 interrupted, 143 terminated or the terminal closed.
    """
    with progress_display(quiet=settings.quiet) as display:
        report = reindex(settings, watch=display.begin)
    if settings.as_json:
        typer.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    else:
        typer.echo(report_text(report, catch_up=settings.catch_up))
    return report.exit_code


def report_text(report: Report, *, catch_up: str | None = None) -> str:
    """The report in a few lines.

    Args:
        report: what the job did.
        catch_up: the column of `--catch-up`: it reads the rows at its maximum again, whether the table changed or not.
    """
    of = "" if report.rows_caught_up else f" of {report.rows_read:,}"
    lines = [
        f"{report.rows_indexed:,}{of} rows of {report.table} are in {report.index}.",
        (
            f"{report.rows_per_second:,.0f} rows/s for {report.seconds:.1f} s, {counted(report.pages, 'page')} of"
            f" {report.page_ms_p50:.0f} ms, peak memory {report.peak_rss_bytes / 2**20:.0f} MiB."
        ),
    ]
    if report.rows_caught_up:
        changed = catch_up is None or report.rows_indexed + report.dead_letters > report.rows_read
        why = ", because the table changed during the load" if changed else f" at the highest {catch_up}"
        lines.append(f"Re-read {counted(report.rows_caught_up, 'row')}{why}.")
    if report.nulled:
        lines.append(f"{counted(report.nulled, 'value')} that Elasticsearch cannot store (NaN, Infinity) became null.")
    if report.dead_letters:
        lines.append(
            f"Elasticsearch rejected {counted(report.dead_letters, 'document')}; see {report.dead_letter_file}."
        )
        lines.append(f"Once their rows are fixed, run: indexer replay {report.job}")
    if report.switched:
        lines.append(f"The alias {report.alias} points to {report.index}.")
    else:
        lines.append(f"The alias {report.alias} was not moved (--no-switch).")
    if report.caveat:
        lines.append(f"note: {report.caveat}.")
    if report.deleted:
        lines.append(f"Deleted: {', '.join(report.deleted)}.")
    return "\n".join(lines)
