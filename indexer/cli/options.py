"""The options that commands share, each under the one name that the environment and the config file use too."""

from collections.abc import Mapping as Given
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AsJson",
    "BatchBytes",
    "CatchUp",
    "Columns",
    "DeadLetterIndex",
    "Debug",
    "Fresh",
    "Index",
    "JobsIndex",
    "Keep",
    "Key",
    "Mapping",
    "MaxFailures",
    "Memory",
    "Page",
    "Patience",
    "Quiet",
    "Readers",
    "Source",
    "SourceCa",
    "SourceCert",
    "SourceCertKey",
    "SourceJwt",
    "SourcePassword",
    "SourceTimeout",
    "SourceUser",
    "SourceVerify",
    "StrategyName",
    "Switch",
    "Table",
    "Target",
    "TargetApiKey",
    "TargetCa",
    "TargetCert",
    "TargetCertKey",
    "TargetPassword",
    "TargetSniff",
    "TargetTimeout",
    "TargetUser",
    "TargetVerify",
    "Where",
    "Writers",
    "of_target",
]

_SOURCE, _TARGET, _LOAD, _WHAT = "Source", "Target", "Load", "What to move"

Source = Annotated[
    str | None,
    typer.Option(
        help="CrateDB, several servers separated by commas, or any SQLAlchemy URL. Also CRATEDB_URL."
        " [default: crate://localhost:4200]",
        rich_help_panel=_SOURCE,
        metavar="URL",
    ),
]
SourceUser = Annotated[str | None, typer.Option(help="User, where the URL has none.", rich_help_panel=_SOURCE)]
SourcePassword = Annotated[
    str | None, typer.Option(help="Password; better in INDEXER_SOURCE_PASSWORD.", rich_help_panel=_SOURCE)
]
SourceJwt = Annotated[
    str | None,
    typer.Option(help="JSON Web Token, in place of a user; better in INDEXER_SOURCE_JWT.", rich_help_panel=_SOURCE),
]
SourceCa = Annotated[Path | None, typer.Option(help="Certificate authorities to trust, PEM.", rich_help_panel=_SOURCE)]
SourceCert = Annotated[Path | None, typer.Option(help="Client certificate, PEM.", rich_help_panel=_SOURCE)]
SourceCertKey = Annotated[
    Path | None, typer.Option(help="Its key, where it is not in the same file.", rich_help_panel=_SOURCE)
]
SourceVerify = Annotated[
    bool | None,
    typer.Option(
        "--source-verify/--no-source-verify",
        help="Check the server's certificate. [default: source-verify]",
        rich_help_panel=_SOURCE,
        show_default=False,
    ),
]
SourceTimeout = Annotated[
    float | None,
    typer.Option(
        help="Seconds without an answer after which a request has failed. [default: 300]",
        rich_help_panel=_SOURCE,
        metavar="SECONDS",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        help="Elasticsearch, several nodes separated by commas. Also ELASTICSEARCH_URL."
        " [default: http://localhost:9200]",
        rich_help_panel=_TARGET,
        metavar="URL",
    ),
]
TargetUser = Annotated[str | None, typer.Option(help="User, where the URL has none.", rich_help_panel=_TARGET)]
TargetPassword = Annotated[
    str | None, typer.Option(help="Password; better in INDEXER_TARGET_PASSWORD.", rich_help_panel=_TARGET)
]
TargetApiKey = Annotated[
    str | None, typer.Option(help="API key; better in INDEXER_TARGET_API_KEY.", rich_help_panel=_TARGET)
]
TargetCa = Annotated[Path | None, typer.Option(help="Certificate authorities to trust, PEM.", rich_help_panel=_TARGET)]
TargetCert = Annotated[Path | None, typer.Option(help="Client certificate, PEM.", rich_help_panel=_TARGET)]
TargetCertKey = Annotated[
    Path | None, typer.Option(help="Its key, where it is not in the same file.", rich_help_panel=_TARGET)
]
TargetVerify = Annotated[
    bool | None,
    typer.Option(
        "--target-verify/--no-target-verify",
        help="Check the server's certificate. [default: target-verify]",
        rich_help_panel=_TARGET,
        show_default=False,
    ),
]
TargetSniff = Annotated[
    bool | None,
    typer.Option(
        "--target-sniff/--no-target-sniff",
        help="Ask the cluster for all of its nodes and use them. [default: no-target-sniff]",
        rich_help_panel=_TARGET,
        show_default=False,
    ),
]
TargetTimeout = Annotated[
    float | None,
    typer.Option(
        help="Seconds without an answer after which a request has failed. [default: 120]",
        rich_help_panel=_TARGET,
        metavar="SECONDS",
    ),
]

Table = Annotated[
    str | None,
    typer.Option(
        help="The table, as SQL writes it: logs, doc.logs, '\"MyTable\"'. [default: logs]", rich_help_panel=_WHAT
    ),
]
Index = Annotated[
    str | None,
    typer.Option(help="The alias that readers use. [default: the table's name]", rich_help_panel=_WHAT, metavar="NAME"),
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        help="The overlay file. [default: mappings/TABLE.yaml, here or shipped]", rich_help_panel=_WHAT, metavar="FILE"
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        help="The column by which pages advance, then what breaks its ties. [default: chosen, see `indexer plan`]",
        rich_help_panel=_WHAT,
        metavar="COL[,COL]",
    ),
]
Where = Annotated[
    str | None, typer.Option(help="An SQL condition: only rows that meet it.", rich_help_panel=_WHAT, metavar="SQL")
]
Columns = Annotated[
    str | None, typer.Option(help="Only these columns. [default: all]", rich_help_panel=_WHAT, metavar="A,B")
]
CatchUp = Annotated[
    str | None,
    typer.Option(
        help="Before the switch, read the rows that were added since the start: those whose COLUMN, an integer or"
        " timestamp, is at or above its maximum then. Of a column that each change raises (updated_at), changed rows"
        " come along; deletions never do.",
        rich_help_panel=_WHAT,
        metavar="COLUMN",
    ),
]

Page = Annotated[int | None, typer.Option(help="Rows a page at most. [default: 10000]", rich_help_panel=_LOAD)]
StrategyName = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help="How pages advance: window, or the slower keyset and offset to compare. [default: window]",
        rich_help_panel=_LOAD,
    ),
]
Readers = Annotated[int | None, typer.Option(help="Slices read at once. [default: 2]", rich_help_panel=_LOAD)]
Writers = Annotated[int | None, typer.Option(help="Bulk requests in flight. [default: 2]", rich_help_panel=_LOAD)]
Memory = Annotated[
    str | None,
    typer.Option(help="Bytes in flight at most. [default: 256MiB]", rich_help_panel=_LOAD, metavar="SIZE"),
]
BatchBytes = Annotated[
    str | None,
    typer.Option(help="Bytes of a bulk request at most. [default: 2MiB]", rich_help_panel=_LOAD, metavar="SIZE"),
]
MaxFailures = Annotated[
    int | None, typer.Option(help="Dead letters at most, before the job fails. [default: 1000]", rich_help_panel=_LOAD)
]
Keep = Annotated[
    int | None, typer.Option(help="Previous indexes to keep after the switch. [default: 1]", rich_help_panel=_LOAD)
]
Patience = Annotated[
    float | None,
    typer.Option(
        help="Seconds a server may stay away before the job fails. [default: 300]",
        rich_help_panel=_LOAD,
        metavar="SECONDS",
    ),
]
Switch = Annotated[
    bool | None,
    typer.Option(
        "--switch/--no-switch",
        help="Move the alias once everything is verified, or stop before. [default: switch]",
        rich_help_panel=_LOAD,
        show_default=False,
    ),
]
Fresh = Annotated[
    bool | None,
    typer.Option(
        "--fresh",
        help="Start anew where an unfinished job would be resumed; its index is removed.",
        rich_help_panel=_LOAD,
        show_default=False,
    ),
]
JobsIndex = Annotated[
    str | None,
    typer.Option(
        help="Where jobs, their checkpoints and locks are kept. [default: reindex-jobs]",
        rich_help_panel=_TARGET,
        metavar="NAME",
    ),
]
DeadLetterIndex = Annotated[
    str | None,
    typer.Option(
        help="Keep dead letters in this index too. [default: in the job's file alone]",
        rich_help_panel=_TARGET,
        metavar="NAME",
    ),
]
AsJson = Annotated[
    bool | None, typer.Option("--json", help="Print the outcome as one JSON object.", show_default=False)
]
Quiet = Annotated[bool | None, typer.Option("--quiet", "-q", help="Show no progress.", show_default=False)]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def of_target(given: Given[str, object]) -> dict[str, object]:
    """Of a command's options those that tell how to reach the target, by their names."""
    return {name: value for name, value in given.items() if name.startswith("target")}
