"""End to end: `reindex` beside its ceilings and beside other ways, on the same rows and servers, in one run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.competitors import client_helpers, crate_pages, logstash_sql
from bench.competitors.catalog import OTHER_PRODUCTS, Skipped, available
from bench.competitors.runner import delete_leftovers, run_competitor
from bench.competitors.task import Competitor, Run, Task
from bench.meter.child import ChildFailed
from bench.meter.machine import Machine, describe_machine
from bench.meter.servers import Servers
from bench.report.markdown import report
from bench.report.record import Chart, Record
from bench.scenarios.kill import Kill, kill_each, kill_report
from bench.scenarios.ranking import Round, goals, lines, ranking_figures, ranking_table
from bench.scenarios.tables import LOGS, make_logs
from indexer.job.overlay_file import shipped_mappings
from indexer.model.table.table import TableName
from indexer.sandbox.sample_logs import SampleRow

__all__ = ["EndToEnd", "Plan", "end_to_end_record", "run_end_to_end"]

_ALIAS: Final = "bench_logs"

_KILLED: Final = TableName("bench_killed", LOGS.schema)
"""The table that competitors are killed on: a run that is killed and repeated costs two and a half."""

_BASIC: Final = (
    *(Competitor.READ, Competitor.WRITE, Competitor.REINDEX),
    *(Competitor.BULK, Competitor.TUNED, Competitor.PARALLEL),
)
"""Those that goals are about: they run in every round, the others, which take many times as long, in the first."""

_MAY_LOSE: Final = {Competitor.LOGSTASH_SQL, *OTHER_PRODUCTS}
"""What may lose or change rows by no fault of the benchmark, as pages in no order do. Its line says so."""

_NOTES: Final = f"""\
- rows/s: from the first page (writing alone: the first batch) to the last answer, without the refresh; Logstash counts
  from its start.
- reindex is faster by: the factor within one round; below 1, the other was faster.
- bound: the most that one machine can do which reads as fast as reading alone and writes as fast as writing alone, for
  each row takes the time of both. Of the bound: the rows/s as a fraction of that of the same round.
- peak MB: the most memory that the client's process held in any round; writing alone holds all documents in it.
- client CPU: user and system; that of reindex is of its whole process, planning and verification included. `?` stands
  for a server whose process is not seen from here.
- helpers.bulk is as its documentation shows it: 500 documents a request, into an index with the same mapping and
  otherwise Elasticsearch's own settings. The helpers read keyset pages of {crate_pages.PAGE:,} rows.
- tuned: {client_helpers.CHUNK:,} documents a request, parallel_bulk with {client_helpers.THREADS} threads, into an
  index prepared as reindex prepares its own, without refreshes and replicas. With OFFSET it is tuned likewise.
- the stand-in for Logstash sends the SQL of its JDBC input (a count, then LIMIT and OFFSET around the statement, in no
  order), {logstash_sql.BATCH} events a request and {logstash_sql.WORKERS} requests at once; what Logstash's own
  pipeline costs comes on top.
- other products write into an index prepared like the tuned ones', {client_helpers.CHUNK:,} documents a request where
  they let one choose. Their CPU and memory are those of all their processes.
- complete: as many rows and documents as the table has and, compared in full after the first round, no row without a
  document, no document without a row, no document that differs from its row. NO: missing + extra + different."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rows: of the table that every competitor moves.
        repeat: how many rounds.
        killed: rows of the table that they are killed on at half-way; 0 for no kills.
        basic: only those that goals are about.
        others: whether other products run; installing what they need takes minutes, the first time.
    """

    rows: int
    repeat: int
    killed: int
    basic: bool = False
    others: bool = True

    @property
    def installs(self) -> bool:
        """Whether other products are looked for, and installed where they are missing."""
        return self.others and not self.basic

    @property
    def competitors(self) -> tuple[tuple[Competitor, ...], tuple[Skipped, ...]]:
        """Those that run, and those that do not, each with its reason."""
        own = tuple(one for one in Competitor if one not in OTHER_PRODUCTS)
        wanted = _BASIC if self.basic else tuple(Competitor) if self.others else own
        why = "left out by --basic" if self.basic else "left out by --no-others"
        able, unable = available(wanted)
        return able, (*(Skipped(one, why) for one in Competitor if one not in wanted), *unable)


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """What was measured: the runs of each round, what a kill left of each, and what was skipped."""

    rounds: tuple[Round, ...]
    kills: tuple[Kill, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def run_end_to_end(servers: Servers, made: Plan, say: Callable[[str], None]) -> Record:
    """Run every competitor, and kill each at half-way.

    Raises:
        ChildFailed: where one of the benchmark's own fails; another product is skipped then.
    """
    if made.installs:
        say("Looking for the other products; what is missing is installed, which takes minutes.")
    competitors, skipped = made.competitors
    for one in skipped:
        say(str(one))
    task = _task(servers, LOGS, made.rows, say)
    delete_leftovers(task)
    say("Warming up: one reindex that does not count.")
    run_competitor(task.by(Competitor.REINDEX))
    failed: list[Skipped] = []
    rounds = tuple(
        tuple(_round(task, competitors if number == 1 else _BASIC, number, made.repeat, say, failed))
        for number in range(1, made.repeat + 1)
    )
    kills, unkilled = _kills(servers, made.killed, [run.competitor for run in rounds[0]], say)
    delete_leftovers(task)
    found = EndToEnd(rounds, kills, (*skipped, *failed, *unkilled))
    return end_to_end_record(made, describe_machine(servers.source, servers.target), found)


def end_to_end_record(made: Plan, machine: Machine, found: EndToEnd) -> Record:
    """The record, with its goals judged and its report written."""
    chart = "end-to-end" if made.basic else "competitors"
    title = f"End to end: {made.rows:,} log rows from CrateDB into Elasticsearch"
    doubts = (
        f"round {number}, {run.competitor}: {doubt}"
        for number, one in enumerate(found.rounds, 1)
        for run in one
        for doubt in (run.usage.noise if run.competitor in _MAY_LOSE else run.doubts(made.rows))
    )
    record = Record(
        bench="end-to-end",
        settings=asdict(made),
        machine=machine,
        figures=tuple(ranking_figures(found.rounds, made.rows, chart)),
        measured=found,
        goals=goals(lines(found.rounds, made.rows)),
        doubts=tuple(doubts),
        charts=(Chart(chart, title, "rows/s"),),
    )
    return report(record, *_parts(made, found))


def _parts(made: Plan, found: EndToEnd) -> Iterator[str]:
    many, first = len(found.rounds), {run.competitor for run in found.rounds[0]}
    once = many > 1 and first - set(_BASIC)
    rounds = f"{many} round{'s' if many > 1 else ''}{', those below parallel_bulk in the first alone' if once else ''}"
    yield f"{made.rows:,} rows; the competitors take turns in {rounds}; ratios are within one round."
    yield ranking_table(found.rounds, made.rows)
    if found.skipped:
        yield "\n".join(f"- {one}" for one in found.skipped)
    yield _NOTES
    if found.kills:
        yield kill_report(found.kills, made.killed)


def _kills(
    servers: Servers, rows: int, ran: Sequence[Competitor], say: Callable[[str], None]
) -> tuple[tuple[Kill, ...], tuple[Skipped, ...]]:
    return kill_each(_task(servers, _KILLED, rows, say), rows, ran, say) if rows else ((), ())


def _task(servers: Servers, table: TableName, rows: int, say: Callable[[str], None]) -> Task:
    make_logs(servers.source, rows, say, table)
    mapping, columns = str(shipped_mappings() / "logs.yaml"), SampleRow._fields
    return Task(Competitor.READ, servers.source, servers.target, str(table), mapping, _ALIAS, columns=columns)


def _round(
    task: Task,
    competitors: Sequence[Competitor],
    number: int,
    repeat: int,
    say: Callable[[str], None],
    failed: list[Skipped],
) -> Iterator[Run]:
    """Each in turn; what it wrote in the first round is compared in full."""
    for one in competitors:
        try:
            run = run_competitor(task.by(one), compared=number == 1 and one is not Competitor.READ)
        except ChildFailed as error:
            if one not in OTHER_PRODUCTS:
                raise
            failed.append(Skipped(one, error.short))
            say(str(failed[-1]))
        else:
            say(f"Round {number}/{repeat}, {one}: {run.rate:,.0f} rows/s.")
            yield run
