"""Replay of dead letters: their rows, which may have been fixed, are read from the table; what still fails is kept."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from indexer.errors import ResponseTooLarge, SourceUnavailable, UsageError
from indexer.job.context import JobContext, open_context
from indexer.job.dead_letters import JobDeadLetters, KeepLetters
from indexer.job.jobs import find_job
from indexer.job.lock import free_lock
from indexer.job.provenance import Provenance, find_job_provenance
from indexer.job.shards import refuse_absent
from indexer.model.document.bulk_request import line_id, split_batches
from indexer.model.document.document import DocumentBuilder
from indexer.model.document.row_key import RowKeys
from indexer.model.job.progress import Counters
from indexer.model.job.report import ReplayReport
from indexer.model.job.state import JobState, JobStatus
from indexer.model.json import Json, Row
from indexer.model.paging.page_size import PageSize
from indexer.retry import Attempts
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster
from indexer.sink.index import Indexes
from indexer.sink.index_name import loading_alias
from indexer.sink.privileges import refuse_unprivileged
from indexer.source.protocol import Page, Reader, Source
from indexer.source.statements import MAX_IDENTITIES

__all__ = ["RowLookup", "RowRequest", "replay"]

RowRequest = tuple[str, tuple[Json, ...]]
"""A row to read: its `_id`, and the values that make it."""


@dataclass(slots=True)
class RowLookup:
    """One connection that looks rows up.

    Attributes:
        source: where the rows are.
        provenance: their table.
        reader: the connection.
        id: makes a row's `_id`.
        size: decides how many rows are requested together.
        attempts: how long the source may fail.
    """

    source: Source
    provenance: Provenance
    reader: Reader
    id: Callable[[Row], str]
    size: PageSize
    attempts: Attempts

    def rows(self, requests: Iterable[RowRequest]) -> Iterator[tuple[Sequence[str], Sequence[Row]]]:
        """Some of the requested `_id`s, and the rows of those that the source has: until all were requested.

        Raises:
            ShardsUnavailable: where the source cannot be read whole: a row that is missing need not be gone.
            SourceError: where the source fails.
        """
        remaining = iter(requests)
        pending: deque[RowRequest] = deque()
        while True:
            pending.extend(islice(remaining, max(0, self.size.limit - len(pending))))
            if not pending:
                return
            some = list(islice(pending, self.size.limit))
            page = self._try_page(some)
            if page is not None:
                for _ in some:
                    pending.popleft()
                yield [id_ for id_, _ in some], page.rows

    def _try_page(self, requests: Sequence[RowRequest]) -> Page | None:
        """The rows; or None where the same are to be requested once more, or fewer of them."""
        try:
            page = self._page(requests)
        except (SourceUnavailable, ResponseTooLarge) as error:
            self.attempts.shrink_or_wait(error, self.size.shrink)
            return None
        self.attempts.reset()
        self.size.record(len(page.rows), page.size)
        return page

    def _page(self, requests: Sequence[RowRequest]) -> Page:
        # A partitioned table answers without the rows of unavailable shards, and without an error.
        self._refuse_absent()
        page = self.reader.rows([values for _, values in requests], self.size.max_bytes)
        if {id_ for id_, _ in requests} - set(map(self.id, page.rows)):
            self._refuse_absent()
        return page

    def _refuse_absent(self) -> None:
        refuse_absent(self.source, self.provenance.selection.table, " and run the same command again")


_NAMED: Final = 5
"""Dead letters of a kind that a report names."""


def replay(settings: Settings, job: str, *, waiting: Callable[[str], None] = lambda _: None) -> ReplayReport:
    """Read the rows of a job's dead letters from the table, index them, and keep the dead letters that remain.

    Nothing is lost where it ends early: what was not finished is replayed the next time.

    Args:
        settings: the servers, `--memory`, and the mapping file where it is not where it was.
        job: the job's name.
        waiting: called with the reason of each wait.

    Returns:
        What was done. `ReplayReport.exit_code` is 3 while dead letters remain.

    Raises:
        UsageError: where there is no such job, it is not done, its plan no longer fits the table, or the user lacks a
            privilege.
        IndexerError: for any other failure; every dead letter is still there.
    """
    with open_context(settings, Counters(), waiting) as context:
        state = _finished_job(context, job)
        refuse_unprivileged(context.cluster, state.alias, settings.jobs_index, state.dead_letter_index)
        letters = JobDeadLetters(state, context)
        letters.refuse_elsewhere()
        with letters.thinned_out() as keep:
            run = _Replay(context, state, letters, keep)
            if next(iter(letters), None) is not None:
                run.run(find_job_provenance(context, state, settings.mapping))
            # Before the file is thinned out: a count that is too low does no harm, one too high would never end.
            context.jobs.amend(replace(state, settled=state.settled + state.dead_letters - run.remaining))
    return run.report()


def _finished_job(context: JobContext, name: str) -> JobState:
    job = find_job(context.jobs, name)
    free_lock(context.jobs, job.alias, context.show_wait)
    if job.status is not JobStatus.DONE:
        raise UsageError(
            f"The job {name} is not done ({job.status}), so that more dead letters may come; finish it with the same"
            " reindex command, with a higher --max-failures where that is what ended it, and replay then."
        )
    return job


def _write_alias(cluster: Cluster, state: JobState) -> str:
    """The alias that leads to the job's index alone: writes go through one, so that they never create an index."""
    for alias in (state.alias, loading_alias(state.job)):
        if Indexes(cluster).current(alias) == (state.job,):
            return alias
    raise UsageError(
        f"{state.job} is kept, but the alias {state.alias} does not point to it; switch back to it with"
        f" `indexer rollback --index {state.alias}`, or replay the job whose index is served."
    )


@dataclass(slots=True)
class _Replay:
    """One replay, and what became of the dead letters so far."""

    context: JobContext
    state: JobState
    letters: JobDeadLetters
    keep: KeepLetters
    found: int = field(init=False, default=0)
    indexed: int = field(init=False, default=0)
    gone: list[str] = field(init=False, default_factory=list)
    failed: list[str] = field(init=False, default_factory=list)

    def run(self, provenance: Provenance) -> None:
        """Replay every dead letter."""
        selection, mapping, cluster = provenance.selection, provenance.mapping, self.context.cluster
        documents = DocumentBuilder(selection, mapping)
        keys = RowKeys(selection, mapping)
        writer = self.context.writer(provenance.served.index, alias=_write_alias(cluster, self.state))
        with closing(self.context.source.reader(selection)) as reader:
            for ids, rows in self._lookup(provenance, reader, documents).rows(self._requests(keys)):
                self._settle(ids, documents.lines(rows), writer, keys)
        Indexes(cluster).refresh(provenance.served.index)

    def _lookup(self, provenance: Provenance, reader: Reader, documents: DocumentBuilder) -> RowLookup:
        limits = self.context.limits
        return RowLookup(
            source=self.context.source,
            provenance=provenance,
            reader=reader,
            id=documents.id,
            size=PageSize(min(limits.page, MAX_IDENTITIES), limits.memory // 2),
            attempts=self.context.retrier().attempts(),
        )

    def _requests(self, keys: RowKeys) -> Iterator[RowRequest]:
        for letter in self.letters:
            self.found += 1
            values = keys.values(letter.key)
            if values is not None:
                yield letter.id, values
                continue
            self.keep([letter])
            self.failed.append(f"{letter.id}: its key is unknown, because the mapping leaves it out; reindex")

    def _settle(self, ids: Sequence[str], lines: Sequence[bytes], writer: BulkWriter, keys: RowKeys) -> None:
        """Write the rows that were found of these dead letters, and record what became of each of them."""
        written = [writer.write(batch.lines) for batch in split_batches(lines, self.context.limits.batch_bytes)]
        rejected = [keys.with_key(letter) for each in written for letter in each.dead_letters]
        present = set(map(line_id, lines))
        self.keep(rejected)
        self.letters.settle(ids, rejected)
        self.indexed += sum(each.acknowledged for each in written)
        self.gone += [id_ for id_ in ids if id_ not in present]
        self.failed += [f"{letter.id}: {letter.reason}" for letter in rejected]

    @property
    def _elsewhere(self) -> int:
        """Dead letters that only files on other machines have; an index, where there is one, has all of them."""
        several = self.letters.index is None and len(self.state.hosts) > 1
        return max(0, self.state.dead_letters - self.found) if several else 0

    @property
    def remaining(self) -> int:
        """Dead letters that remain."""
        return len(self.failed) + self._elsewhere

    def report(self) -> ReplayReport:
        """What was done so far."""
        letters = self.letters
        return ReplayReport(
            job=self.state.job,
            table=self.state.table,
            index=self.state.job,
            found=self.found,
            indexed=self.indexed,
            gone=len(self.gone),
            gone_ids=tuple(self.gone[:_NAMED]),
            remaining=self.remaining,
            elsewhere=self._elsewhere,
            reasons=tuple(self.failed[:_NAMED]),
            dead_letter_file=str(letters.path) if letters.path.is_file() else None,
            dead_letter_index=letters.index.name if letters.index else None,
        )
