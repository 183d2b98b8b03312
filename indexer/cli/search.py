"""`indexer search`: ask the indexed logs."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded

__all__ = ["search"]

EXAMPLES = """
Search an alias with a Lucene query string; terms must all match.

Examples:

  indexer search 'timeout AND service:payments'

  indexer search '반도체 개발'

  indexer search 'status:>=500' --index logs --size 20 --json

Exit code 1 where nothing matched, like grep.
"""


@guarded
def search(  # noqa: D103  # EXAMPLES is its help
    query: Annotated[str, typer.Argument(help="What to look for; * for everything.")] = "*",
    index: Annotated[str, typer.Option(help="The alias to search.", metavar="NAME")] = "logs",
    size: Annotated[int, typer.Option("--size", "-n", help="How many hits to show.", min=0, max=10_000)] = 10,
    target: o.Target = None,
    target_user: o.TargetUser = None,
    target_password: o.TargetPassword = None,
    target_api_key: o.TargetApiKey = None,
    target_ca: o.TargetCa = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a hit, a line each.")] = False,  # noqa: FBT002  # a flag is a boolean
    debug: o.Debug = False,  # noqa: ARG001, FBT002  # `guarded` reads it
) -> int:
    from indexer.cli.show_hits import hits_as_json, print_hits
    from indexer.settings import load_settings
    from indexer.target.client import connect
    from indexer.target.search import search as find

    settings = load_settings(
        target=target,
        target_user=target_user,
        target_password=target_password,
        target_api_key=target_api_key,
        target_ca=target_ca,
    )
    with connect(settings.target_access) as cluster:
        found = find(cluster, index, query, size)
    if as_json:
        hits_as_json(found)
    else:
        print_hits(found)
    return 0 if found.total else 1
