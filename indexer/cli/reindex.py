"""`reindex_command`: move a table into a fresh index, verify it, move the alias."""

import typer

from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.model.job.report import Report

__all__ = ["reindex_command"]

EXAMPLES = """
Stream a table into a fresh index, prove that every row arrived, and only then move the alias.

Examples:

  reindex --table logs --page 10000

  reindex --table logs --source crate://db1:4200,db2:4200 --target https://es:9200 --target-ca ca.pem

  reindex --table doc.logs --where "ts > now() - '7 days'::interval" --index recent_logs

  reindex --table logs --catch-up ts

  reindex --table logs --no-switch --json

Every option can come from the environment (--source-password is INDEXER_SOURCE_PASSWORD) or from indexer.toml.

Exit codes: 0 done, 1 failed, 2 refused before anything changed, 3 done with dead letters, 4 verification failed,
130 interrupted, 143 terminated or the terminal closed.
"""


@command_errors
def reindex_command(  # noqa: D103  # EXAMPLES is its help
    table: o.Table = None,
    page: o.Page = None,
    source: o.Source = None,
    target: o.Target = None,
    index: o.Index = None,
    mapping: o.Mapping = None,
    key: o.Key = None,
    where: o.Where = None,
    columns: o.Columns = None,
    catch_up: o.CatchUp = None,
    readers: o.Readers = None,
    writers: o.Writers = None,
    memory: o.Memory = None,
    batch_bytes: o.BatchBytes = None,
    strategy: o.StrategyName = None,
    switch: o.Switch = None,
    keep: o.Keep = None,
    max_failures: o.MaxFailures = None,
    patience: o.Patience = None,
    fresh: o.Fresh = None,
    jobs_index: o.JobsIndex = None,
    dead_letter_index: o.DeadLetterIndex = None,
    source_user: o.SourceUser = None,
    source_password: o.SourcePassword = None,
    source_jwt: o.SourceJwt = None,
    source_ca: o.SourceCa = None,
    source_cert: o.SourceCert = None,
    source_cert_key: o.SourceCertKey = None,
    source_verify: o.SourceVerify = None,
    source_timeout: o.SourceTimeout = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    target_cert: o.TargetCert = None,
    target_cert_key: o.TargetCertKey = None,
    target_verify: o.TargetVerify = None,
    target_timeout: o.TargetTimeout = None,
    target_sniff: o.TargetSniff = None,
    as_json: o.AsJson = None,
    quiet: o.Quiet = None,
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    given = {name: value for name, value in locals().items() if name != "debug"}
    from indexer.cli.progress import progress_display
    from indexer.job.reindex import reindex as run
    from indexer.settings import load_settings

    settings = load_settings(**given)
    with progress_display(quiet=settings.quiet) as watch:
        report = run(settings, watch=watch.begin)
    typer.echo(_as_json(report) if settings.as_json else report_text(report))
    return report.exit_code


def _as_json(report: Report) -> str:
    import orjson

    return orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode()


def report_text(report: Report) -> str:
    """The report in a few lines for people."""
    of = "" if report.rows_caught_up else f" of {report.rows_read:,}"
    lines = [
        (
            f"{report.rows_indexed:,}{of} rows of {report.table} are in {report.index}"
            f" ({report.rows_per_second:,.0f} rows/s, {report.seconds:.1f} s, {report.pages:,} pages of"
            f" {report.page_ms_p50:.0f} ms, peak memory {report.peak_rss_bytes / 2**20:.0f} MiB)."
        )
    ]
    if report.rows_caught_up:
        lines.append(
            f"{report.rows_caught_up:,} rows were read after the load, for the table was written to meanwhile."
        )
    if report.nulled:
        lines.append(f"{report.nulled:,} values were NaN or infinite and became null.")
    if report.dead_letters:
        lines.append(f"{report.dead_letters:,} documents were rejected; see {report.dead_letter_file}.")
        lines.append(f"Once their rows are mended: indexer replay {report.job}")
    if report.switched:
        lines.append(f"The alias {report.alias} points to {report.index}.")
    else:
        lines.append(f"The alias {report.alias} was not moved (--no-switch).")
    if report.caveat:
        lines.append(f"note: {report.caveat}.")
    if report.deleted:
        lines.append(f"Deleted: {', '.join(report.deleted)}.")
    return "\n".join(lines)
