"""What became of earlier jobs: listing them, going back to a previous index, removing what failed jobs left."""

from dataclasses import dataclass

from indexer.errors import Refused
from indexer.job.lease import free_lock
from indexer.model.identifier import nearest
from indexer.model.job import RESUMABLE, JobState
from indexer.target.client import Cluster
from indexer.target.dead_letter_index import DeadLetterIndex
from indexer.target.index import Indexes
from indexer.target.jobs import Jobs

__all__ = ["Rollback", "clean", "discard", "find_job", "left_behind", "roll_back"]


@dataclass(frozen=True, slots=True)
class Rollback:
    """A switch back.

    Attributes:
        alias: the alias.
        before: what it pointed to.
        after: what it points to now.
    """

    alias: str
    before: tuple[str, ...]
    after: str


def find_job(jobs: Jobs, name: str) -> JobState:
    """The job of this name.

    Raises:
        Refused: where there is none, with the nearest names.
    """
    known = {state.job: state for state in jobs.all()}
    if name not in known:
        raise Refused(f"There is no job {name}: see `indexer jobs`.{nearest(name, known)}")
    return known[name]


def roll_back(cluster: Cluster, alias: str) -> Rollback:
    """Switch an alias back, in one atomic step, to the newest kept index that is older than the served one.

    Raises:
        Refused: where the alias is not there, or no older index is kept.
    """
    indexes = Indexes(cluster)
    before = indexes.current(alias)
    if not before:
        raise Refused(f"There is no alias {alias}: name one with --index, or make it with `reindex --index {alias}`.")
    older = [one.name for one in indexes.made_by_us(alias) if one.complete and one.name < max(before)]
    if not older:
        raise Refused(f"No index older than {max(before)} is kept for {alias}: keep more with `reindex --keep N`.")
    indexes.switch(alias, older[-1])
    return Rollback(alias, before, older[-1])


def left_behind(cluster: Cluster, jobs: Jobs) -> tuple[JobState, ...]:
    """The unfinished jobs, whose indexes no alias points to; one that runs is not among them."""
    return tuple(state for state in jobs.all() if state.status in RESUMABLE and not _served(cluster, state))


def clean(cluster: Cluster, jobs: Jobs, state: JobState) -> None:
    """Remove an unfinished job: its index, its dead letters in another, and what is kept of it.

    Raises:
        Refused: where it runs.
    """
    newest = free_lock(jobs, state.alias, lambda _: None)
    if newest is not None and newest.state.job == state.job:
        state = newest.state
    discard(cluster, state)
    jobs.forget(state)


def discard(cluster: Cluster, state: JobState) -> None:
    """Remove what an unfinished job wrote into Elasticsearch: its index, and its dead letters in theirs."""
    Indexes(cluster).delete(state.job)
    if state.dead_letter_index:
        letters = DeadLetterIndex(cluster, state.dead_letter_index, state.job, state.table)
        if letters.exists():
            letters.clear()


def _served(cluster: Cluster, state: JobState) -> bool:
    return state.job in Indexes(cluster).current(state.alias)
