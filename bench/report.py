"""Reports of end to end, searching and verifying: tables in Markdown, as they go into the README."""

from collections.abc import Iterator
from shlex import join
from typing import Final

from bench.end_to_end import EndToEnd
from bench.figures import Line
from bench.markdown import Cells, machine_lines, rate, ratio, table, verdict
from bench.restarts import Restart
from bench.run import Compared
from bench.searching import DEEP, FIRST, Searching
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

_VERIFYING: Final = (
    "rows/s and seconds are the command's own: from asking for the first page to the last answer. Memory and CPU are"
    " those of its whole process."
)

_RESTARTS: Final = (
    "Each way was killed (SIGKILL) once it had written half of the rows, then run again by the same command, and once"
    " more. What is left of the usual ways lies in the index that readers see; reindex moves the alias at its end only."
    " Missing (rows without a document), extra (documents without a row) and different are what `indexer verify --full`"
    " found after the first of the two runs. Seconds are of whole processes."
)

_RESTARTS_HEAD: Final = (
    "way",
    "left by the kill",
    "run again, it wrote",
    "then missing + extra + different",
    "a second run wrote",
)

_NOTES: Final = f"""\
- rows/s: from asking for the first page (writing alone: from sending the first batch) to the last answer, without the
  refresh; a Singer pair and Logstash count from their start.
- reindex is faster by: the factor within one round; below 1, the way was faster than reindex.
- bound: the most that one machine can do which reads as fast as reading alone and writes as fast as writing alone, for
  each row takes the time of both. Of the bound: the way's rows/s in parts of that of the same round.
- peak MB: the most memory that the client's process held in any round; writing alone holds all documents in it.
- client CPU: user and system; that of reindex is of its whole process, planning and verification included. `?` stands
  for a server whose process is not seen from here.
- helpers.bulk is as its documentation shows it: 500 documents a request, into an index with the same mapping and
  otherwise Elasticsearch's own settings. The helpers read keyset pages of {PAGE:,} rows.
- tuned: {CHUNK:,} documents a request, parallel_bulk with {THREADS} threads, into an index prepared as reindex prepares
  its own, without refreshes and replicas. With OFFSET they are tuned likewise.
- the stand-in for Logstash sends the SQL of its JDBC input (a count, then LIMIT and OFFSET around the statement, in no
  order), {logstash_sql.BATCH} events a request and {logstash_sql.WORKERS} requests at once; what Logstash's own
  pipeline costs comes on top.
- other products write into an index prepared like the tuned ones', {CHUNK:,} documents a request where they let one
  choose. Their CPU and memory are those of all their processes; of Logstash in Docker, they are not seen.
- complete: as many rows and documents as the table has and, compared in full after the first round, no row without a
  document, no document without a row, no document that differs from its row. NO: missing + extra + different."""


def end_to_end_report(found: EndToEnd) -> str:
    """The table of all ways, what its figures mean, and where they were measured."""
    read, write, *others = map(_way, found.lines)
    bound = ("bound `1/(1/read + 1/write)`", rate(found.bound), "", "1.00", "", "", "", "")
    parts = [
        f"{found.rows:,} rows; the ways take turns in {_rounds(found)}; ratios are within one round.",
        table(_WAYS_HEAD, [read, write, bound, *others]),
        *_skipped(found),
        _NOTES,
        *_restarts(found),
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def searching_report(found: Searching) -> str:
    """What a search reaches."""
    how = (
        f"{found.rows:,} documents. Every one to a file as NDJSON (`indexer search {join(DEEP)}`):"
        f" {_times(len(found.deep))}. The README's first example (`indexer search {join(FIRST)}`):"
        f" {_times(len(found.piped))} to a pipe, {_times(len(found.terminal))} to a terminal. Medians (min-max)."
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
        f"{found.rows:,} rows, each compared field by field by `indexer verify --full`, {_times(len(found.rounds))}.",
        table(_VERIFYING_HEAD, [_verified(number, one) for number, one in enumerate(found.rounds, 1)]),
        _VERIFYING,
        verdict(found.goals, found.doubts),
        machine_lines(found.machine),
    ]
    return "\n\n".join(parts)


def _rounds(found: EndToEnd) -> str:
    many = len(found.rounds)
    once = any(line.rounds < many for line in found.lines)
    return f"{many} round{'s' if many > 1 else ''}{', those below parallel_bulk in the first alone' if once else ''}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _skipped(found: EndToEnd) -> Iterator[str]:
    if found.skipped:
        yield "\n".join(f"- {one}" for one in found.skipped)


def _restarts(found: EndToEnd) -> Iterator[str]:
    if found.restarts:
        yield f"A table of {found.killed_rows:,} rows. {_RESTARTS}"
        yield table(_RESTARTS_HEAD, list(map(_restart, found.restarts)))


def _restart(one: Restart) -> Cells:
    again = f"{one.written:,} in {one.resumed:,.1f} s"
    return one.way, f"{one.left:,}", again, _faults(one.after), f"{one.rewritten:,} in {one.second:,.1f} s"


def _way(line: Line) -> Cells:
    return (
        str(line.way),
        rate(line.rate),
        ratio(line.lead),
        ratio(line.share),
        f"{line.peak_rss / 1e6:,.0f}",
        f"{line.client:.1f}",
        _cpu(line.client_us, line.source_us, line.target_us),
        _complete(line),
    )


def _complete(line: Line) -> str:
    if line.compared and not line.compared.same:
        return f"NO: {_faults(line.compared)}"
    return "yes" if line.complete else "NO"


def _faults(one: Compared) -> str:
    return f"{one.missing:,} + {one.extra:,} + {one.different:,}"


def _verified(number: int, one: Verified) -> Cells:
    spent = one.spent
    each = [
        None if seconds is None else 1e6 * seconds / one.rows for seconds in (spent.client, spent.source, spent.target)
    ]
    return f"{number}", f"{one.rate:,.0f}", f"{one.seconds:,.1f}", f"{one.peak_rss / 1e6:,.0f}", _cpu(*each)


def _cpu(*microseconds: float | None) -> str:
    return " + ".join("?" if us is None else f"{us:.1f}" for us in microseconds)
