"""Jobs: how one begins, and what earlier ones left: unfinished indexes, dead letters, and indexes to roll back to."""

from dataclasses import dataclass

from indexer.errors import UsageError, did_you_mean
from indexer.job.context import JobContext
from indexer.job.lock import free_lock, this_process
from indexer.model.job.plan import Plan
from indexer.model.job.state import RESUMABLE, JobState, JobStatus
from indexer.model.json import JsonObject
from indexer.sink.client import Cluster
from indexer.sink.dead_letter_index import DeadLetterIndex
from indexer.sink.index import Indexes
from indexer.sink.job_store import JobStore
from indexer.version import VERSION

__all__ = [
    "RollbackResult",
    "create_index",
    "discard_job",
    "discard_replaced",
    "find_job",
    "initial_state",
    "open_letter_index",
    "remove_job",
    "roll_back",
    "unfinished_jobs",
]


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """A rollback.

    Attributes:
        alias: the alias.
        before: the indexes that it pointed to.
        after: the index that it points to now.
    """

    alias: str
    before: tuple[str, ...]
    after: str


def find_job(jobs: JobStore, name: str) -> JobState:
    """The job of this name.

    Raises:
        UsageError: where there is none, with the names that are close to it.
    """
    known = {state.job: state for state in jobs.all()}
    if name not in known:
        raise UsageError(f"There is no job {name}; see `indexer jobs`.{did_you_mean(name, known)}")
    return known[name]


def roll_back(cluster: Cluster, alias: str) -> RollbackResult:
    """Switch an alias back, in one atomic step, to the newest kept index that is older than the served one.

    Raises:
        UsageError: where the alias is not there, or no older index is kept.
    """
    indexes = Indexes(cluster)
    before = indexes.current(alias)
    if not before:
        raise UsageError(
            f"There is no alias {alias}; name another with --index, or create it with `reindex --index {alias}`."
        )
    older = [index.name for index in indexes.own(alias) if index.complete and index.name < max(before)]
    if not older:
        raise UsageError(f"No index older than {max(before)} is kept for {alias}; keep more with `reindex --keep N`.")
    indexes.switch(alias, older[-1])
    return RollbackResult(alias, before, older[-1])


def unfinished_jobs(cluster: Cluster, jobs: JobStore) -> tuple[JobState, ...]:
    """The unfinished jobs whose indexes no alias points to."""
    return tuple(state for state in jobs.all() if state.status in RESUMABLE and not _served(cluster, state))


def remove_job(cluster: Cluster, jobs: JobStore, state: JobState) -> None:
    """Remove an unfinished job: its index, its dead letters from their index, and its record.

    Raises:
        UsageError: where it runs.
    """
    newest = free_lock(jobs, state.alias, lambda _: None)
    if newest is not None and newest.state.job == state.job:
        state = newest.state
    discard_job(cluster, state)
    jobs.forget(state)


def discard_job(cluster: Cluster, state: JobState) -> None:
    """Remove what an unfinished job wrote to Elasticsearch: its index, and its dead letters from their index."""
    Indexes(cluster).delete(state.job)
    if state.dead_letter_index:
        letters = DeadLetterIndex(cluster, state.dead_letter_index, state.job, state.table)
        if letters.exists():
            letters.clear()


def _served(cluster: Cluster, state: JobState) -> bool:
    return state.job in Indexes(cluster).current(state.alias)


def open_letter_index(plan: Plan, context: JobContext) -> DeadLetterIndex | None:
    """The index that dead letters are kept in besides the file; None where the plan has none."""
    if not plan.dead_letter_index:
        return None
    table = str(plan.selection.table.name)
    return DeadLetterIndex(context.cluster, plan.dead_letter_index, plan.job, table, context.limits.retry)


def initial_state(plan: Plan, newest: JobState | None) -> JobState:
    """The job as it begins, or is resumed, in this process.

    Args:
        plan: what the job will do.
        newest: the alias' newest job, whose place it takes.
    """
    holder = this_process()
    before = plan.unfinished
    return JobState(
        job=plan.job,
        alias=plan.alias,
        table=str(plan.selection.table.name),
        status=JobStatus.RUNNING,
        holder=holder,
        beat=newest.beat if newest else 0,
        heartbeat=holder.since,
        fingerprint=plan.fingerprint,
        slices=plan.slices,
        passes=before.passes if before else (),
        since=plan.since,
        updates=plan.updates,
        nulled=before.nulled if before else 0,
        columns=tuple(column.name for column in plan.selection.columns),
        mapping_file=plan.mapping_file,
        dead_letter_index=plan.dead_letter_index,
        hosts=tuple(sorted({holder.host, *(before.hosts if before else ())})),
    )


def create_index(plan: Plan, cluster: Cluster, state: JobState) -> None:
    """Create the index of a new job, before anything else is changed. It may be repeated where no answer came.

    Raises:
        UsageError: where Elasticsearch does not accept the mapping or the settings: nothing is changed.
    """
    table = str(plan.selection.table.name)
    # The token tells it from the index of a job that chose the same name in the same second.
    origin: JsonObject = {"version": VERSION, "table": table, "job": plan.job, "token": state.holder.token}
    Indexes(cluster).create(plan.job, plan.mapping.mappings, plan.mapping.settings, {**plan.mapping.meta, **origin})


def discard_replaced(plan: Plan, cluster: Cluster, newest: JobState | None) -> None:
    """Remove what an unfinished job wrote that another one has replaced."""
    if newest is not None and newest.status in RESUMABLE and newest.job not in Indexes(cluster).current(plan.alias):
        discard_job(cluster, newest)
