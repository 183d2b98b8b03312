"""`indexer replay`: index the rows of a job's dead letters once they are mended."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.model.job.report import ReplayReport

__all__ = ["replay_command"]

EXAMPLES = """
Read the rows of a job's dead letters again, which were mended meanwhile, index them, and keep what still fails.

Examples:

  indexer jobs

  indexer replay logs_20261122_101500

  indexer replay logs_20261122_101500 --json

The table, the condition and the mapping are those of the job; give --mapping where the file is not where it was then.
A row that is no longer in the table is reported, and its dead letter dropped.

Exit codes: 0 no dead letter is left, 1 failed, 2 refused, 3 some are left, 130 interrupted.
"""


@command_errors
def replay_command(  # noqa: D103  # EXAMPLES is its help
    job: Annotated[str, typer.Argument(help="The job, as `indexer jobs` lists it.", metavar="JOB")],
    source: o.Source = None,
    target: o.Target = None,
    mapping: o.Mapping = None,
    page: o.Page = None,
    memory: o.Memory = None,
    batch_bytes: o.BatchBytes = None,
    patience: o.Patience = None,
    jobs_index: o.JobsIndex = None,
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
    as_json: o.AsJson = None,
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    given = {name: value for name, value in locals().items() if name not in {"job", "debug"}}
    from indexer.job.replay import replay as run
    from indexer.settings import load_settings

    settings = load_settings(**given)
    done = run(settings, job, waiting=lambda reason: typer.echo(f"waiting: {reason}", err=True))
    typer.echo(_as_json(done) if settings.as_json else replay_text(done))
    return done.exit_code


def _as_json(done: ReplayReport) -> str:
    import orjson

    return orjson.dumps(done.as_json(), option=orjson.OPT_INDENT_2).decode()


def replay_text(done: ReplayReport) -> str:
    """What was done in a few lines for people."""
    if not done.found and not done.remaining:
        return f"No dead letters of {done.job} are left."
    lines = [f"{done.indexed:,} of {done.found:,} dead letters of {done.job} are in {done.index} now."]
    if done.gone:
        more = ", ..." if done.gone > len(done.gone_ids) else ""
        lines.append(f"{done.gone:,} rows are no longer in {done.table}: {', '.join(done.gone_ids)}{more}.")
    if done.remaining:
        kept = " and ".join(filter(None, (done.dead_letter_file, done.dead_letter_index)))
        lines.append(f"{done.remaining:,} dead letters are left in {kept}; mend their rows, then run this again.")
        lines += [f"  {reason}" for reason in done.reasons]
    if done.elsewhere:
        lines.append(f"{done.elsewhere:,} of them are in the files of other machines that ran the job: run it there.")
    return "\n".join(lines)
