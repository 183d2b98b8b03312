"""Replaying dead letters: their rows are read again, for they may have been mended, and what still fails is kept."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

from indexer.errors import Refused
from indexer.job.dead_letters import Keep
from indexer.job.definition import Definition
from indexer.job.history import find_job
from indexer.job.lease import free_lock
from indexer.job.recorded import Recorded
from indexer.job.replanning import as_then
from indexer.job.rereading import Rereading, Wanted
from indexer.model.batch import batches
from indexer.model.document import Documents
from indexer.model.job import JobState, Status
from indexer.model.outcome import id_of
from indexer.model.page_size import PageSize
from indexer.model.patience import Patience
from indexer.model.replayed import Replayed
from indexer.model.row_key import RowKeys
from indexer.settings import Settings
from indexer.source.base import Reader, Source
from indexer.source.open import open_source
from indexer.source.statements import AT_ONCE
from indexer.target.bulk import BulkWriter
from indexer.target.client import Cluster, connect
from indexer.target.index import Indexes
from indexer.target.jobs import Jobs
from indexer.target.name import loading_alias
from indexer.target.privilege import refuse_unprivileged
from indexer.target.scan import look

__all__ = ["replay"]

_NAMED: Final = 5
"""Dead letters of a kind that a report names."""


def replay(settings: Settings, job: str, *, waiting: Callable[[str], None] = lambda _: None) -> Replayed:
    """Read the rows of a job's dead letters again, index them, and keep the dead letters that are left.

    Nothing is lost where it ends early: what is not replayed to the end is replayed once more the next time.

    Args:
        settings: the servers, `--memory`, and the mapping file where it is not where it was.
        job: the job's name.
        waiting: told the reason of each wait.

    Returns:
        What was done. `Replayed.exit_code` is 3 while dead letters are left.

    Raises:
        Refused: where there is no such job, it is not done, its plan does not fit the table any more, or the user lacks
            a privilege.
        IndexerError: for any other failure; every dead letter is still there.
    """
    source = open_source(settings.source_access)
    with closing(source), connect(settings.target_access) as cluster:
        jobs = Jobs(cluster, settings.jobs_index)
        state = _done(jobs, job, waiting)
        refuse_unprivileged(cluster, state.alias, settings.jobs_index, state.dead_letter_index)
        recorded = Recorded(state, cluster, settings.patience)
        recorded.refuse_elsewhere()
        with recorded.thinned_out() as keep:
            run = _Replay(settings, state, recorded, source, cluster, keep, waiting)
            if next(iter(recorded), None) is not None:
                run.run()
            # Before the file is thinned out: a count that is too low does no harm, one too high would never end.
            jobs.amend(replace(state, settled=state.settled + state.dead_letters - run.remaining))
    return run.replayed()


def _done(jobs: Jobs, job: str, waiting: Callable[[str], None]) -> JobState:
    state = find_job(jobs, job)
    free_lock(jobs, state.alias, waiting)
    if state.status is not Status.DONE:
        raise Refused(
            f"The job {job} is not done ({state.status}), so its dead letters are not all known: finish it by the same"
            " reindex command, with a higher --max-failures where that is what ended it, and replay then."
        )
    return state


def _way_in(cluster: Cluster, state: JobState) -> str:
    """The alias that leads to the job's index alone: writes go through one, so that they never make an index."""
    for alias in (state.alias, loading_alias(state.job)):
        if Indexes(cluster).current(alias) == (state.job,):
            return alias
    raise Refused(
        f"{state.job} is kept, but the alias {state.alias} does not point to it: switch back to it with"
        f" `indexer rollback --index {state.alias}`, or replay the job whose index is served."
    )


@dataclass(slots=True)
class _Replay:
    """One replay, and what became of the dead letters so far."""

    settings: Settings
    state: JobState
    recorded: Recorded
    source: Source
    cluster: Cluster
    keep: Keep
    waiting: Callable[[str], None]
    found: int = 0
    indexed: int = 0
    gone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Replay every dead letter that is recorded."""
        served = look(self.cluster, self.state.job)
        made = as_then(self.settings, self.state, served, self.source, self.cluster)
        documents = Documents(made.selection, made.mapping)
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

    def _rereading(self, made: Definition, reader: Reader, documents: Documents) -> Rereading:
        return Rereading(
            source=self.source,
            table=made.selection.table,
            reader=reader,
            size=PageSize(min(self.settings.page, AT_ONCE), self.settings.memory // 2),
            patience=Patience(self.settings.patience),
            id=documents.id,
            waiting=self.waiting,
        )

    def _wanted(self, keys: RowKeys) -> Iterator[Wanted]:
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
        written = [writer.write(batch.lines) for batch in batches(lines, self.settings.batch_bytes)]
        again = [keys.keyed(letter) for part in written for letter in part.dead]
        read = set(map(id_of, lines))
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

    def replayed(self) -> Replayed:
        """What was done so far."""
        return Replayed(
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
