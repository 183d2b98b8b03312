"""`indexer verify`: compare a table with its index, and repair the index."""

from typing import Annotated

import typer

from indexer.cli import options as o
from indexer.cli.guard import guarded
from indexer.errors import Refused

__all__ = ["verify"]

EXAMPLES = """
Compare a table with the index that was made of it: which ids are missing, extra or different, slice by slice.

Examples:

  indexer verify --index logs

  indexer verify --index logs --counts

  indexer verify --index logs --full --json

  indexer verify --index logs --full --repair --max-deletes 0.1%

Without --counts and --full, a sample of the rows is compared (--sample 1%). The table and --where are those that the
index was made with; give --mapping again where it was given then. Rows that were added or changed since count as
missing or different.

Exit codes: 0 the same, or repaired, 1 failed, 2 refused, 3 only dead letters are missing, 4 different,
130 interrupted.
"""

_WHOLE = 100.0


@guarded
def verify(  # noqa: D103  # EXAMPLES is its help
    index: o.Index = None,
    counts: Annotated[bool, typer.Option("--counts", help="Count only, slice by slice.")] = False,  # noqa: FBT002  # a flag is a boolean
    sample: Annotated[
        str | None, typer.Option(help="Compare this share of the rows. [default: 1%]", metavar="PERCENT")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Compare every row, every field.")] = False,  # noqa: FBT002  # as above
    repair: Annotated[bool, typer.Option("--repair", help="With --full: mend the index.")] = False,  # noqa: FBT002  # as above
    max_deletes: Annotated[
        str | None,
        typer.Option(help="Delete no more than this share of the documents. [default: 1%]", metavar="PERCENT"),
    ] = None,
    table: o.Table = None,
    source: o.Source = None,
    target: o.Target = None,
    mapping: o.Mapping = None,
    key: o.Key = None,
    where: o.Where = None,
    columns: o.Columns = None,
    page: o.Page = None,
    readers: o.Readers = None,
    writers: o.Writers = None,
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
    quiet: o.Quiet = None,
    debug: o.Debug = False,  # noqa: FBT002  # `guarded` reads it
) -> int:
    own = {"counts", "sample", "full", "repair", "max_deletes", "debug"}
    given = {name: value for name, value in locals().items() if name not in own and name != "own"}
    from indexer.cli.progress import watching
    from indexer.cli.show_verification import as_json as written
    from indexer.cli.show_verification import summary
    from indexer.job.checking import SHARE
    from indexer.job.checking import verify as run
    from indexer.model.verification import Check
    from indexer.settings import load_settings

    if counts + full + (sample is not None) > 1:
        raise Refused("--counts, --sample and --full exclude each other: give one of them.")
    if max_deletes is not None and not repair:
        raise Refused("--max-deletes limits what --repair deletes: add --repair.")
    check = Check.COUNTS if counts else Check.FULL if full else Check.SAMPLE
    share = SHARE if sample is None else _share("--sample", sample)
    deletes = SHARE if max_deletes is None else _share("--max-deletes", max_deletes)
    settings = load_settings(**given)
    with watching(quiet=settings.quiet) as watch:
        found = run(
            settings,
            check,
            share=share,
            max_deletes=deletes if repair else None,
            watch=watch.show,
        )
    typer.echo(written(found) if settings.as_json else summary(found))
    return found.exit_code


def _share(option: str, text: str) -> float:
    """`1%`, or `1`, is 0.01."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= _WHOLE:
        raise Refused(f"{option} {text} is not a percentage: write 1%, or 0.1%.")
    return percent / _WHOLE
