"""`indexer rollback`: switch an alias back to the index before."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded
from indexer.errors import Refused

__all__ = ["rollback"]

EXAMPLES = """
Switch an alias back, in one atomic step, to the previous index that was kept (`reindex --keep N`).

Examples:

  indexer rollback --index logs
"""


@guarded
def rollback(  # noqa: D103  # EXAMPLES is its help
    index: Annotated[str | None, typer.Option(help="The alias.", metavar="NAME")] = None,
    target: o.Target = None,
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
    from indexer.job.history import roll_back
    from indexer.settings import load_settings
    from indexer.target.client import connect

    settings = load_settings(index=index, **reach)
    if not settings.index:
        raise Refused("No alias is named: name the one to switch back with --index.")
    with connect(settings.target_access) as cluster:
        done = roll_back(cluster, settings.index)
    typer.echo(f"The alias {done.alias} points to {done.after}; it pointed to {', '.join(done.before)}.")
    return 0
