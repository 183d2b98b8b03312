"""`indexer search`: ask the indexed logs."""

import gc
from enum import StrEnum
from typing import Annotated

import typer

from indexer.cli import complete
from indexer.cli import options as o
from indexer.cli.guard import guarded
from indexer.cli.lean_client import import_client

__all__ = ["search"]

EXAMPLES = """
Search an alias with a Lucene query string; words must all match.

Examples:

  indexer search 'timeout AND service:payments' --since 2h --level ERROR --sort -ts -n 20

  indexer search '반도체 개발'

  indexer search --where status=500 --where 'latency_ms>300' --top service --histogram 5m

  indexer search 'checkout' --follow

  indexer search 'service:auth' --all -o ndjson > auth.ndjson

In a query: `two words` both, `a OR b`, `NOT a`, `"a phrase"`, `time*` a prefix, `t?me`, `timeuot~` with a typing
mistake, `status:>=500`, `level:(ERROR OR WARN)`, `message.keyword:"the whole text"`. Words without a field are looked
for in the text fields.

Options that are not listed are short-hands of the index, from its mapping file: `--level ERROR,WARN`,
`--service payments`, `--host`, and so on; without a mapping file, the names of its keyword fields.

Exit code 1 where nothing matched, like grep; 2 for a question that cannot be asked.
"""

_WHAT, _SHOW, _DEEP = "What matches", "What is shown", "How far"


class Output(StrEnum):
    """How hits are printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    RAW = "raw"


@guarded
def search(  # noqa: D103  # EXAMPLES is its help
    query: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to look for. [default: everything]", autocompletion=complete.query, show_default=False
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(help="The alias. [default: logs]", metavar="NAME", autocompletion=complete.index),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="2h, 15m, yesterday, an ISO time.", rich_help_panel=_WHAT, metavar="TIME")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Likewise.", rich_help_panel=_WHAT, metavar="TIME")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="FIELD=VALUE, or != > >= < <= ~ (words); * is any value.",
            rich_help_panel=_WHAT,
            metavar="CONDITION",
            autocompletion=complete.condition,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Fields, - for the largest first. [default: the best first]",
            rich_help_panel=_SHOW,
            metavar="A,-B",
            autocompletion=complete.sort,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", "-n", help="How many at most. [default: 10]", min=0, max=10_000, rich_help_panel=_SHOW),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(help="Only these fields.", rich_help_panel=_SHOW, metavar="A,B", autocompletion=complete.fields),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="The form.", rich_help_panel=_SHOW)] = Output.TABLE,
    as_json: Annotated[
        bool | None,
        typer.Option("--json", help="The same as -o ndjson.", rich_help_panel=_SHOW, show_default=False),
    ] = None,
    count: Annotated[bool, typer.Option(help="Only how many match.", rich_help_panel=_SHOW)] = False,  # noqa: FBT002  # a flag is a boolean
    exact: Annotated[bool, typer.Option(help="Count beyond 10,000 too.", rich_help_panel=_SHOW)] = False,  # noqa: FBT002  # as above
    top: Annotated[
        list[str] | None,
        typer.Option(
            help="The most frequent values.", rich_help_panel=_SHOW, metavar="FIELD", autocompletion=complete.field
        ),
    ] = None,
    stats: Annotated[
        list[str] | None,
        typer.Option(
            help="min, max, mean, p50, p95, p99.", rich_help_panel=_SHOW, metavar="FIELD", autocompletion=complete.field
        ),
    ] = None,
    histogram: Annotated[
        str | None, typer.Option(help="Bars over time: 30s, 5m, 1h, 1d.", rich_help_panel=_SHOW, metavar="INTERVAL")
    ] = None,
    explain: Annotated[bool, typer.Option(help="Show the request; ask nothing.", rich_help_panel=_SHOW)] = False,  # noqa: FBT002  # as above
    every: Annotated[bool, typer.Option("--all", help="Every match, however many.", rich_help_panel=_DEEP)] = False,  # noqa: FBT002  # as above
    follow: Annotated[bool, typer.Option(help="New matches as they arrive.", rich_help_panel=_DEEP)] = False,  # noqa: FBT002  # as above
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
    # What is imported stays: to look for garbage in it meanwhile costs a tenth of the start.
    gc.disable()
    import_client()
    from indexer.cli.ask import Wanted, ask
    from indexer.settings import load_settings

    gc.enable()
    settings = load_settings(index=index, as_json=as_json, **reach)
    wanted = Wanted(
        words=query or [],
        since=since,
        until=until,
        where=where or [],
        sort=sort,
        size=size,
        fields=fields,
        output="ndjson" if settings.as_json else output.value,
        count=count,
        exact=exact,
        top=top or [],
        stats=stats or [],
        histogram=histogram,
        explain=explain,
        every=every,
        follow=follow,
    )
    return ask(wanted, settings)
