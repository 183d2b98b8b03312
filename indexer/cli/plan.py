"""`indexer plan`: what a reindex would do, without doing it."""

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["plan"]

EXAMPLES = """
Print what a reindex would do: the key and why, the slices, the rows, the mapping, the settings. Touches nothing.

Examples:

  indexer plan --table logs

  indexer plan --table logs --key ts,id --mapping my-logs.yaml

  indexer plan --table doc.logs --json
"""


@guarded
def plan(  # noqa: D103  # EXAMPLES is its help
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
    memory: o.Memory = None,
    strategy: o.StrategyName = None,
    fresh: o.Fresh = None,
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
    debug: o.Debug = False,  # noqa: FBT002  # `guarded` reads it
) -> int:
    given = {name: value for name, value in locals().items() if name != "debug"}
    from indexer.cli.show_plan import plan_as_json, print_plan
    from indexer.job.reindex import plan as make
    from indexer.settings import load_settings

    settings = load_settings(**given)
    made = make(settings)
    if settings.as_json:
        typer.echo(plan_as_json(made))
    else:
        print_plan(made)
    return 0
