"""Reports of end to end, searching and verifying: tables in Markdown, as they go into the README."""

from collections.abc import Iterator
from typing import Final

from bench.end_to_end import EndToEnd
from bench.figures import Line
from bench.markdown import Cells, machine_lines, rate, ratio, table, verdict
from bench.restarts import Restart
from bench.searching import Searching
from bench.verifying import Verified, Verifying
from bench.ways import logstash_sql
from bench.ways.naive_parallel import CHUNK, THREADS
from bench.ways.naive_rows import PAGE

__all__ = ["end_to_end_report", "searching_report", "verifying_report"]

_WAYS_HEAD: Final = (
    "way",
    "rows/s, median (min-max)",
    "reindex is faster by",
    "of the bound",
    "peak MB",
    "client CPU s",
    "CPU µs/row: client + CrateDB + Elasticsearch",
    "complete",
)

_VERIFYING_HEAD: Final = (
    "round",
    "rows/s",
    "seconds",
    "peak MB",
    "CPU µs/row: client + CrateDB + Elasticsearch",
)

_RESTARTS: Final = (
    "Each way killed (SIGKILL) once it had written half of the rows, then the same command again, then once more. What"
    " is left of the usual ways lies in the index that readers see; reindex moves the alias at its end only. Compared:"
    " `indexer verify --full` after the first of the two. Seconds are of whole processes."
)

_RESTARTS_HEAD: Final = (
    "way",
    "left by the kill",
    "run again, it wrote",
    "then missing + extra + different",
    "a second run wrote",
)

_NOTES: Final = (
    "rows/s count from asking for the first page (writing alone: sending the first batch) to the last answer, without"
    " the refresh. Peak MB is the client's process; writing alone holds all documents in it. reindex's CPU is its whole"
    f" process, planning and verification included. The helpers read keyset pages of {PAGE:,} rows. helpers.bulk is as"
    " its documentation shows it: 500 documents a request, into an index with the same mapping and otherwise"
    f" Elasticsearch's own settings. Tuned, the helpers send {CHUNK:,} documents a request, parallel_bulk with"
    f" {THREADS} threads, into an index prepared as reindex prepares its own: without refreshes and replicas."
    " With OFFSET they are tuned likewise. The stand-in for Logstash sends the SQL of its JDBC input (a count, then"
    f" LIMIT and OFFSET around the statement, in no order), {logstash_sql.BATCH} events a request and"
    f" {logstash_sql.WORKERS} requests at once; what Logstash's own pipeline costs comes on top."
)


def end_to_end_report(found: EndToEnd) -> str:
    """The table of all ways, what its figures mean, and where they were measured."""
    read, write, *others = map(_way, found.lines)
    bound = ("bound `1/(1/read + 1/write)`", rate(found.bound), "", "1.00", "", "", "", "")
    parts = [
        f"{found.rows:,} rows; every way {len(found.rounds)} times, in turn; ratios are within one round.",
        table(_WAYS_HEAD, [read, write, bound, *others]),
        _NOTES,
        *_restarts(found),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def searching_report(found: Searching) -> str:
    """What a search reaches."""
    how = (
        f"{found.rows:,} documents; all of them to a file {len(found.deep)} times, the first example"
        f" {len(found.piped)} times to a pipe and to a terminal; medians (min-max)."
    )
    parts = [
        how,
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def verifying_report(found: Verifying) -> str:
    """What comparing every row costs."""
    parts = [
        f"{found.rows:,} rows, each compared field by field; {len(found.rounds)} verifications.",
        table(_VERIFYING_HEAD, [_verified(number, one) for number, one in enumerate(found.rounds, 1)]),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def _restarts(found: EndToEnd) -> Iterator[str]:
    if found.restarts:
        yield _RESTARTS
        yield table(_RESTARTS_HEAD, list(map(_restart, found.restarts)))


def _restart(one: Restart) -> Cells:
    after = f"{one.after.missing:,} + {one.after.extra:,} + {one.after.different:,}"
    again = f"{one.written:,} in {one.resumed:,.1f} s"
    return one.way, f"{one.left:,}", again, after, f"{one.rewritten:,} in {one.second:,.1f} s"


def _way(line: Line) -> Cells:
    return (
        str(line.way),
        rate(line.rate),
        ratio(line.lead),
        ratio(line.share),
        f"{line.peak_rss / 1e6:,.0f}",
        f"{line.client:.1f}",
        _cpu(line.client_us, line.source_us, line.target_us),
        "yes" if line.complete else "NO",
    )


def _verified(number: int, one: Verified) -> Cells:
    spent = one.spent
    each = [
        None if seconds is None else 1e6 * seconds / one.rows for seconds in (spent.client, spent.source, spent.target)
    ]
    return f"{number}", f"{one.rate:,.0f}", f"{one.seconds:,.1f}", f"{one.peak_rss / 1e6:,.0f}", _cpu(*each)


def _cpu(*microseconds: float | None) -> str:
    return " + ".join("?" if us is None else f"{us:.1f}" for us in microseconds)
