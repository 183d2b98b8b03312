"""`indexer verify`: compare a table with its index, and repair the index."""

from collections.abc import Iterator
from typing import Annotated

import orjson
import typer

from indexer.cli.command import command
from indexer.cli.render.progress import progress_display
from indexer.errors import UsageError
from indexer.option import OptionGroup
from indexer.settings import Settings
from indexer.verify.findings import CheckLevel, FindingKind, RepairResult, SliceFindings, Verification
from indexer.verify.verify import SAMPLE_SHARE, verify

__all__ = ["verification_text", "verify_command"]

_WHOLE = 100.0


@command(
    *("table", "where", "columns", "key", "index", "mapping"),
    *("page", "readers", "writers", "memory", "batch_bytes", "patience", "jobs_index"),
    OptionGroup.SOURCE,
    OptionGroup.TARGET,
    OptionGroup.OUTPUT,
)
def verify_command(
    settings: Settings,
    *,
    counts: Annotated[
        bool, typer.Option("--counts", help="Compare the number of rows of each slice, and no more.")
    ] = False,
    sample: Annotated[
        str | None, typer.Option(help="Compare this share of the rows. [default: 1%]", metavar="PERCENT")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Compare every field of every row.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="With --full: correct the index.")] = False,
    max_deletes: Annotated[
        str | None,
        typer.Option(help="With --repair: largest share of the documents to delete. [default: 1%]", metavar="PERCENT"),
    ] = None,
) -> int:
    """Names documents that are missing, extra or different, slice by slice.

    Examples:
      indexer verify --index logs
      indexer verify --index logs --counts
      indexer verify --index logs --full --json
      indexer verify --index logs --full --repair --max-deletes 0.1%

    Without --counts or --full, a sample of the rows is compared (--sample 1%). The table and --where are those that the
    index was made with; add --mapping if it was used then. Rows added or changed since count as missing or different.

    Exit codes: 0 equal, or repaired, 1 failed, 2 refused, 3 only dead letters are missing, 4 different,
    130 interrupted.
    """
    if counts + full + (sample is not None) > 1:
        raise UsageError("--counts, --sample and --full are mutually exclusive.")
    if max_deletes is not None and not repair:
        raise UsageError("--max-deletes requires --repair.")
    level = CheckLevel.COUNTS if counts else CheckLevel.FULL if full else CheckLevel.SAMPLE
    share = SAMPLE_SHARE if sample is None else _share("--sample", sample)
    deletes = SAMPLE_SHARE if max_deletes is None else _share("--max-deletes", max_deletes)
    with progress_display(quiet=settings.quiet) as display:
        found = verify(settings, level, share=share, max_deletes=deletes if repair else None, watch=display.show)
    if settings.as_json:
        typer.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2))
    else:
        typer.echo(verification_text(found))
    return found.exit_code


def _share(option: str, text: str) -> float:
    """`1%`, or `1`, is 0.01."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= _WHOLE:
        raise UsageError(f"{option} {text} is not a percentage; write 1% or 0.1%.")
    return percent / _WHOLE


def verification_text(found: Verification) -> str:
    """A few lines: the verdict, then each slice in which something is wrong."""
    return "\n".join(_lines(found))


def _lines(found: Verification) -> Iterator[str]:
    yield _verdict(found)
    yield f"  {found.rows:,} rows in {found.table}"
    yield f"  {found.documents:,} documents in {found.index}"
    if found.check is not CheckLevel.COUNTS:
        speed = f"{found.rows_per_second:,.0f} rows/s for {found.seconds:.1f} s"
        yield f"Compared every field of {found.compared:,} rows: {speed}."
    if found.shard_rows not in {None, found.rows}:
        yield (
            f"sys.shards counts {found.shard_rows:,} rows, a query {found.rows:,}: the table is being written to, or"
            " some rows are hidden from this user."
        )
    if found.left_out:
        yield f"Not compared, because the index leaves them out: {', '.join(found.left_out)}."
    if found.dead_letters and not found.is_same:
        yield _dead_letters(found)
    for slice_ in found.slices:
        yield from _slice(slice_)
    if found.repair is not None:
        yield from _repair(found.repair)


def _verdict(found: Verification) -> str:
    if found.is_same:
        return "Equal."
    if found.lacks_only_dead_letters:
        return "Equal, except for dead letters."
    counts = ", ".join(f"{found.found[kind]:,} {kind}" for kind in FindingKind if found.found[kind])
    return f"Different{f': {counts}' if counts else ''}."


def _dead_letters(found: Verification) -> str:
    text = f"Elasticsearch rejected {found.dead_letters:,} documents of the job that made the index (dead letters)"
    if found.found[FindingKind.MISSING] and not found.found[FindingKind.REJECTED]:
        return f"{text}. Their file is on the machine that ran the job, so here they count as missing; verify there."
    return f"{text}."


def _slice(slice_: SliceFindings) -> Iterator[str]:
    name = "outside every slice" if slice_.number is None else f"slice {slice_.number} ({slice_.rows:,} rows)"
    counts = [f"{slice_.found[kind]:,} {kind}" for kind in FindingKind if slice_.found[kind]]
    if slice_.documents is not None and slice_.documents != slice_.rows:
        counts.append(f"{slice_.documents:,} documents")
    yield f"  {name}: {', '.join(counts)}"
    yield from (f"    {finding}" for finding in slice_.first)


def _repair(repair: RepairResult) -> Iterator[str]:
    yield f"Repaired: {repair.written:,} documents written, {repair.deleted:,} deleted."
    if repair.refused:
        yield f"Deleted nothing: {repair.refused}."
    for reason in repair.rejected:
        yield f"Not written: {reason}"
