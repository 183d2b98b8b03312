"""`indexer mapping`: what each column becomes, an overlay to start from, and how a live index differs."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import complete
from indexer.cli import options as o
from indexer.cli.guard import guarded
from indexer.errors import Refused

__all__ = ["mapping"]

EXAMPLES = """
Print the mapping that a reindex would create, column by column, with who decided it: the type, the mapping file, or a
fallback where the cluster lacks something. Touches nothing in either server.

Examples:

  indexer mapping --table logs

  indexer mapping --table orders --init              writes mappings/orders.yaml, commented, to start from

  indexer mapping --table logs --check logs          what the live index has otherwise, and what needs a reindex

  indexer mapping --table logs --template 'logs_logstash*' > template.json      for indexes that other tools load

Exit code of `--check`: 0 for no difference, 1 for differences.
"""

_OWN = frozenset({"debug", "init", "check", "template"})
"""Options of this command that are no settings."""


@guarded
def mapping(  # noqa: D103  # EXAMPLES is its help
    table: o.Table = None,
    mapping: o.Mapping = None,
    columns: o.Columns = None,
    init: Annotated[bool, typer.Option("--init", help="Write an overlay file to start from.")] = False,  # noqa: FBT002  # a flag is a boolean
    check: Annotated[
        str | None,
        typer.Option(help="Compare with this index or alias.", metavar="INDEX", autocompletion=complete.index),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(help="Print an index template for indexes of this name or pattern.", metavar="PATTERN"),
    ] = None,
    source: o.Source = None,
    target: o.Target = None,
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
    given = {name: value for name, value in locals().items() if name not in _OWN}
    from indexer.cli.show_mapping import print_differences, print_mapping, print_template
    from indexer.job.mapping_preview import check_index, preview, write_overlay
    from indexer.settings import load_settings

    if sum(map(bool, (init, check, template))) > 1:
        raise Refused("--init, --check and --template cannot be asked for at once: give one of them.")
    settings = load_settings(**given)
    if init:
        typer.echo(f"Written: {write_overlay(settings, Path())}")
        return 0
    if check:
        found = check_index(settings, check)
        print_differences(check, found, as_json=settings.as_json)
        return 1 if found else 0
    if template:
        print_template(preview(settings), template)
        return 0
    print_mapping(preview(settings), as_json=settings.as_json)
    return 0
