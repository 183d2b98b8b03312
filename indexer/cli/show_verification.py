"""What a verification found, as people read it, and as one JSON object."""

from collections.abc import Iterator

import orjson

from indexer.model.verification import Check, Kind, Repair, SliceFindings, Verification

__all__ = ["as_json", "summary"]


def as_json(found: Verification) -> str:
    """One JSON object."""
    return orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode()


def summary(found: Verification) -> str:
    """A few lines: the verdict, then each slice in which something is wrong."""
    return "\n".join(_lines(found))


def _lines(found: Verification) -> Iterator[str]:
    yield _verdict(found)
    if found.check is not Check.COUNTS:
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
    wrong = ", ".join(f"{found.found[kind]:,} {kind}" for kind in Kind if found.found[kind])
    return f"Different: {sides}{f'; {wrong}' if wrong else ''}."


def _dead_letters(found: Verification) -> str:
    said = f"The job that made the index had {found.dead_letters:,} dead letters, rows that Elasticsearch rejected"
    if found.found[Kind.MISSING] and not found.found[Kind.REJECTED]:
        return f"{said}; their file is on the machine that ran it, so here they count as missing: verify there."
    return f"{said}."


def _slice(part: SliceFindings) -> Iterator[str]:
    name = "outside every slice" if part.number is None else f"slice {part.number} ({part.rows:,} rows)"
    said = [f"{part.found[kind]:,} {kind}" for kind in Kind if part.found[kind]]
    if part.documents is not None and part.documents != part.rows:
        said.append(f"{part.documents:,} documents")
    yield f"  {name}: {', '.join(said)}"
    yield from (f"    {one}" for one in part.first)


def _repair(repair: Repair) -> Iterator[str]:
    yield f"Repaired: {repair.written:,} documents written, {repair.deleted:,} deleted."
    if repair.refused:
        yield f"Nothing was deleted: {repair.refused}."
    for reason in repair.rejected:
        yield f"Not written: {reason}"
