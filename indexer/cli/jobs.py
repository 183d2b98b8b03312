"""`indexer jobs`: what jobs there were, what one did, and removing what failed ones left."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["jobs"]

EXAMPLES = """
List jobs, the last one first; show one; remove what unfinished ones left.

Examples:

  indexer jobs

  indexer jobs show logs_20261122_101500

  indexer jobs clean

`clean` says what it would remove; `clean --yes` removes it. A job that runs is never touched.
"""


@guarded
def jobs(  # noqa: D103  # EXAMPLES is its help
    what: Annotated[str, typer.Argument(help="list, show or clean.", metavar="[list|show|clean]")] = "list",
    job: Annotated[str | None, typer.Argument(help="The job to show.", metavar="[JOB]")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what `clean` lists.")] = False,  # noqa: FBT002  # a flag is a boolean
    as_json: Annotated[
        bool | None, typer.Option("--json", help="One JSON object a job, a line each.", show_default=False)
    ] = None,
    target: o.Target = None,
    jobs_index: o.JobsIndex = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    target_cert: o.TargetCert = None,
    target_cert_key: o.TargetCertKey = None,
    target_verify: o.TargetVerify = None,
    target_timeout: o.TargetTimeout = None,
    debug: o.Debug = False,  # noqa: FBT002  # `guarded` reads it
) -> int:
    reach = o.of_target(locals())
    from indexer.cli.show_jobs import job_as_json, print_job, print_jobs
    from indexer.errors import Refused
    from indexer.job.history import clean, find_job, left_behind
    from indexer.settings import load_settings
    from indexer.target.client import connect
    from indexer.target.jobs import Jobs

    settings = load_settings(jobs_index=jobs_index, as_json=as_json, **reach)
    with connect(settings.target_access) as cluster:
        known = Jobs(cluster, settings.jobs_index)
        match what, job:
            case "list", None:
                found = known.all()
                if settings.as_json:
                    typer.echo("".join(map(job_as_json, found)), nl=False)
                else:
                    print_jobs(found)
            case "show", str():
                one = find_job(known, job)
                typer.echo(job_as_json(one), nl=False) if settings.as_json else print_job(one)
            case "clean", None:
                for state in left_behind(cluster, known):
                    typer.echo(f"{'Removing' if yes else 'Would remove'} {state.job}, {state.status} {state.heartbeat}")
                    if yes:
                        clean(cluster, known, state)
            case _:
                raise Refused(f"{what!r} with {job!r} means nothing: write list, show JOB, or clean.")
    return 0
