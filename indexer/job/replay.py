"""Replaying dead letters: their rows are read again, for they may have been mended, and what still fails is kept."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from indexer.errors import IndexerError, ResponseTooLarge, ShardsUnavailable, SourceUnavailable, UsageError
from indexer.job.dead_letters import JobDeadLetters, KeepLetters
from indexer.job.jobs import find_job
from indexer.job.lock import free_lock
from indexer.job.provenance import Definition, redefine
from indexer.job.shards import absent_text
from indexer.model.document.bulk_response import line_id, split_batches
from indexer.model.document.document import DocumentBuilder
from indexer.model.document.row_key import RowKeys
from indexer.model.job.report import ReplayReport
from indexer.model.job.state import JobState, JobStatus
from indexer.model.json import Json, Row
from indexer.model.paging.page_size import PageSize
from indexer.model.table.table import Table
from indexer.retry import RetryPolicy
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from indexer.sink.index_name import loading_alias
from indexer.sink.job_store import JobStore
from indexer.sink.privileges import refuse_unprivileged
from indexer.sink.snapshot import read_index_info
from indexer.source.open import open_source
from indexer.source.protocol import Page, Reader, Source
from indexer.source.statements import AT_ONCE

__all__ = ["RowLookup", "RowRequest", "replay"]

RowRequest = tuple[str, tuple[Json, ...]]
"""A row to read: its `_id`, and the values that make it."""


@dataclass(slots=True)
class RowLookup:
    """One connection that reads rows again.

    Attributes:
        source: where the rows are.
        table: their table.
        reader: the connection.
        size: decides how many rows are asked for at once.
        patience: how long the source may stay away.
        id: makes a row's `_id`.
        waiting: told the reason of each wait.
    """

    source: Source
    table: Table
    reader: Reader
    size: PageSize
    patience: RetryPolicy
    id: Callable[[Row], str]
    waiting: Callable[[str], None]

    def rows(self, wanted: Iterable[RowRequest]) -> Iterator[tuple[Sequence[str], Sequence[Row]]]:
        """Some of the `_id`s that were asked for, and the rows of those that the source has: until all were asked for.

        Raises:
            ShardsUnavailable: where the source cannot be read whole within patience: what is missing need not be gone.
            SourceError: where the source fails.
        """
        rest = iter(wanted)
        todo: deque[RowRequest] = deque()
        while True:
            todo.extend(islice(rest, max(0, self.size.limit - len(todo))))
            if not todo:
                return
            some = list(islice(todo, self.size.limit))
            page = self._tried(some)
            if page is not None:
                for _ in some:
                    todo.popleft()
                yield [id_ for id_, _ in some], page.rows

    def _tried(self, some: Sequence[RowRequest]) -> Page | None:
        """The rows, or None where they are to be asked for again: fewer, or later."""
        try:
            page = self._asked(some)
        except (SourceUnavailable, ResponseTooLarge) as error:
            self._recover(error)
            return None
        self.patience.calm()
        self.size.saw(len(page.rows), page.size)
        return page

    def _asked(self, some: Sequence[RowRequest]) -> Page:
        # A partitioned table answers without the rows of shards that are away, and without an error.
        self._refuse_absent()
        page = self.reader.rows([values for _, values in some], self.size.most)
        if {id_ for id_, _ in some} - set(map(self.id, page.rows)):
            self._refuse_absent()
        return page

    def _refuse_absent(self) -> None:
        absent = self.source.absent(self.table)
        if absent:
            raise ShardsUnavailable(
                f"{absent_text(self.table, absent)}; bring its nodes back and run the same command again."
            )

    def _recover(self, error: IndexerError) -> None:
        if isinstance(error, ResponseTooLarge) and self.size.shrink():
            return
        pause = self.patience.pause()
        if pause is None:
            raise error
        trouble = "away" if isinstance(error, SourceUnavailable) else "short of memory"
        self.waiting(f"the source is {trouble} ({error}), asking again")
        time.sleep(pause)


_NAMED: Final = 5
"""Dead letters of a kind that a report names."""


def replay(settings: Settings, job: str, *, waiting: Callable[[str], None] = lambda _: None) -> ReplayReport:
    """Read the rows of a job's dead letters again, index them, and keep the dead letters that are left.

    Nothing is lost where it ends early: what is not replayed to the end is replayed once more the next time.

    Args:
        settings: the servers, `--memory`, and the mapping file where it is not where it was.
        job: the job's name.
        waiting: told the reason of each wait.

    Returns:
        What was done. `ReplayReport.exit_code` is 3 while dead letters are left.

    Raises:
        UsageError: where there is no such job, it is not done, its plan does not fit the table any more, or the user lacks
            a privilege.
        IndexerError: for any other failure; every dead letter is still there.
    """
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        jobs = JobStore(cluster, settings.jobs_index)
        state = _done(jobs, job, waiting)
        refuse_unprivileged(cluster, state.alias, settings.jobs_index, state.dead_letter_index)
        recorded = JobDeadLetters(state, cluster, settings.patience)
        recorded.refuse_elsewhere()
        with recorded.thinned_out() as keep:
            run = _Replay(settings, state, recorded, source, cluster, keep, waiting)
            if next(iter(recorded), None) is not None:
                run.run()
            # Before the file is thinned out: a count that is too low does no harm, one too high would never end.
            jobs.amend(replace(state, settled=state.settled + state.dead_letters - run.remaining))
    return run.replayed()


def _done(jobs: JobStore, job: str, waiting: Callable[[str], None]) -> JobState:
    state = find_job(jobs, job)
    free_lock(jobs, state.alias, waiting)
    if state.status is not JobStatus.DONE:
        raise UsageError(
            f"The job {job} is not done ({state.status}), so its dead letters are not all known: finish it by the same"
            " reindex command, with a higher --max-failures where that is what ended it, and replay then."
        )
    return state


def _way_in(cluster: Cluster, state: JobState) -> str:
    """The alias that leads to the job's index alone: writes go through one, so that they never make an index."""
    for alias in (state.alias, loading_alias(state.job)):
        if Indexes(cluster).current(alias) == (state.job,):
            return alias
    raise UsageError(
        f"{state.job} is kept, but the alias {state.alias} does not point to it: switch back to it with"
        f" `indexer rollback --index {state.alias}`, or replay the job whose index is served."
    )


@dataclass(slots=True)
class _Replay:
    """One replay, and what became of the dead letters so far."""

    settings: Settings
    state: JobState
    recorded: JobDeadLetters
    source: Source
    cluster: Cluster
    keep: KeepLetters
    waiting: Callable[[str], None]
    found: int = 0
    indexed: int = 0
    gone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Replay every dead letter that is recorded."""
        served = read_index_info(self.cluster, self.state.job)
        made = redefine(self.settings, self.state, served, self.source, self.cluster)
        documents = DocumentBuilder(made.selection, made.mapping)
        keys = RowKeys(made.selection, made.mapping)
        writer = BulkWriter(
            self.cluster,
            served.index,
            alias=_way_in(self.cluster, self.state),
            patience=self.settings.patience,
            on_wait=lambda reason, _seconds: self.waiting(reason),
        )
        reader = self.source.reader(made.selection)
        with closing(reader):
            for ids, rows in self._rereading(made, reader, documents).rows(self._wanted(keys)):
                self._settle(ids, documents.lines(rows), writer, keys)
        Indexes(self.cluster).refresh(served.index)

    def _rereading(self, made: Definition, reader: Reader, documents: DocumentBuilder) -> RowLookup:
        return RowLookup(
            source=self.source,
            table=made.selection.table,
            reader=reader,
            size=PageSize(min(self.settings.page, AT_ONCE), self.settings.memory // 2),
            patience=RetryPolicy(self.settings.patience),
            id=documents.id,
            waiting=self.waiting,
        )

    def _wanted(self, keys: RowKeys) -> Iterator[RowRequest]:
        for letter in self.recorded:
            self.found += 1
            values = keys.values(letter.key)
            if values is not None:
                yield letter.id, values
                continue
            self.keep([letter])
            self.left.append(f"{letter.id}: its key is not known, for the mapping leaves it out: reindex")

    def _settle(self, ids: Sequence[str], lines: Sequence[bytes], writer: BulkWriter, keys: RowKeys) -> None:
        """Write what was read of these dead letters, and record what became of each of them."""
        written = [writer.write(batch.lines) for batch in split_batches(lines, self.settings.batch_bytes)]
        again = [keys.keyed(letter) for part in written for letter in part.dead]
        read = set(map(line_id, lines))
        self.keep(again)
        self.recorded.settle(ids, again)
        self.indexed += sum(part.done for part in written)
        self.gone += [id_ for id_ in ids if id_ not in read]
        self.left += [f"{letter.id}: {letter.reason}" for letter in again]

    @property
    def _elsewhere(self) -> int:
        """Dead letters that only files of other machines have: the index, where there is one, has all of them."""
        several = self.recorded.index is None and len(self.state.hosts) > 1
        return max(0, self.state.dead_letters - self.found) if several else 0

    @property
    def remaining(self) -> int:
        """Dead letters that are left."""
        return len(self.left) + self._elsewhere

    def replayed(self) -> ReplayReport:
        """What was done so far."""
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
            reasons=tuple(self.left[:_NAMED]),
            dead_letter_file=str(self.recorded.path) if self.recorded.path.is_file() else None,
            dead_letter_index=self.recorded.index.name if self.recorded.index else None,
        )
