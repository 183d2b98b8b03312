"""`indexer verify`: compare a table with its index, and repair the index."""

from collections.abc import Iterator
from typing import Annotated

import orjson
import typer

from indexer.cli import options as o
from indexer.cli.command import command_errors
from indexer.errors import UsageError
from indexer.verify.findings import CheckLevel, FindingKind, RepairResult, SliceFindings, Verification

__all__ = ["verification_json", "verification_text", "verify_command"]


def verification_json(found: Verification) -> str:
    """One JSON object."""
    return orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode()


def verification_text(found: Verification) -> str:
    """A few lines: the verdict, then each slice in which something is wrong."""
    return "\n".join(_lines(found))


def _lines(found: Verification) -> Iterator[str]:
    yield _verdict(found)
    if found.check is not CheckLevel.COUNTS:
        yield (
            f"{found.compared:,} rows compared, every field of them ({found.rows_per_second:,.0f} rows/s,"
            f" {found.seconds:.1f} s, peak memory {found.peak_rss_bytes / 2**20:.0f} MiB)."
        )
    if found.shard_rows not in {None, found.rows}:
        yield f"sys.shards has {found.shard_rows:,} rows, {found.rows:,} were counted: some are written, or hidden."
    if found.left_out:
        yield f"Not compared, for the index does not have them: {', '.join(found.left_out)}."
    if found.dead_letters and not found.is_same:
        yield _dead_letters(found)
    for part in found.slices:
        yield from _slice(part)
    if found.repair is not None:
        yield from _repair(found.repair)


def _verdict(found: Verification) -> str:
    sides = f"{found.rows:,} rows of {found.table}, {found.documents:,} documents in {found.index}"
    if found.is_same:
        return f"The same: {sides}."
    if found.lacks_only_dead_letters:
        return f"The same but for dead letters: {sides}."
    wrong = ", ".join(f"{found.found[kind]:,} {kind}" for kind in FindingKind if found.found[kind])
    return f"Different: {sides}{f'; {wrong}' if wrong else ''}."


def _dead_letters(found: Verification) -> str:
    said = f"The job that made the index had {found.dead_letters:,} dead letters, rows that Elasticsearch rejected"
    if found.found[FindingKind.MISSING] and not found.found[FindingKind.REJECTED]:
        return f"{said}; their file is on the machine that ran it, so here they count as missing: verify there."
    return f"{said}."


def _slice(part: SliceFindings) -> Iterator[str]:
    name = "outside every slice" if part.number is None else f"slice {part.number} ({part.rows:,} rows)"
    said = [f"{part.found[kind]:,} {kind}" for kind in FindingKind if part.found[kind]]
    if part.documents is not None and part.documents != part.rows:
        said.append(f"{part.documents:,} documents")
    yield f"  {name}: {', '.join(said)}"
    yield from (f"    {one}" for one in part.first)


def _repair(repair: RepairResult) -> Iterator[str]:
    yield f"Repaired: {repair.written:,} documents written, {repair.deleted:,} deleted."
    if repair.refused:
        yield f"Nothing was deleted: {repair.refused}."
    for reason in repair.rejected:
        yield f"Not written: {reason}"


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


@command_errors
def verify_command(  # noqa: D103  # EXAMPLES is its help
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
    debug: o.Debug = False,  # noqa: FBT002  # `command_errors` reads it
) -> int:
    own = {"counts", "sample", "full", "repair", "max_deletes", "debug"}
    given = {name: value for name, value in locals().items() if name not in own and name != "own"}
    from indexer.cli.progress import progress_display
    from indexer.settings import load_settings
    from indexer.verify.findings import CheckLevel
    from indexer.verify.verify import SAMPLE_SHARE
    from indexer.verify.verify import verify as run

    if counts + full + (sample is not None) > 1:
        raise UsageError("--counts, --sample and --full exclude each other: give one of them.")
    if max_deletes is not None and not repair:
        raise UsageError("--max-deletes limits what --repair deletes: add --repair.")
    check = CheckLevel.COUNTS if counts else CheckLevel.FULL if full else CheckLevel.SAMPLE
    share = SAMPLE_SHARE if sample is None else _share("--sample", sample)
    deletes = SAMPLE_SHARE if max_deletes is None else _share("--max-deletes", max_deletes)
    settings = load_settings(**given)
    with progress_display(quiet=settings.quiet) as watch:
        found = run(
            settings,
            check,
            share=share,
            max_deletes=deletes if repair else None,
            watch=watch.show,
        )
    typer.echo(verification_json(found) if settings.as_json else verification_text(found))
    return found.exit_code


def _share(option: str, text: str) -> float:
    """`1%`, or `1`, is 0.01."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= _WHOLE:
        raise UsageError(f"{option} {text} is not a percentage: write 1%, or 0.1%.")
    return percent / _WHOLE
