"""What a job begins with: its state, the index that it loads, and where its dead letters go."""

from indexer import __version__
from indexer.job.history import discard
from indexer.job.holder import this_process
from indexer.model.job import RESUMABLE, JobState, Status
from indexer.model.json import JsonObject
from indexer.model.plan import Plan
from indexer.settings import Settings
from indexer.target.client import Cluster
from indexer.target.dead_letter_index import DeadLetterIndex
from indexer.target.index import Indexes

__all__ = ["begun", "discard_before", "letter_index", "make_index"]


def letter_index(settings: Settings, plan: Plan, cluster: Cluster) -> DeadLetterIndex | None:
    """Where dead letters go besides the file: what the user named, else what the unfinished job has used."""
    before = plan.unfinished.dead_letter_index if plan.unfinished else ""
    name = settings.dead_letter_index or before
    table = str(plan.selection.table.name)
    return DeadLetterIndex(cluster, name, plan.job, table, settings.patience) if name else None


def begun(settings: Settings, plan: Plan, newest: JobState | None, letters: DeadLetterIndex | None) -> JobState:
    """The job as it begins, or goes on, in this process.

    Args:
        settings: what the user wants.
        plan: what the job will do.
        newest: the alias' newest job, whose place it takes.
        letters: where dead letters go besides the file.
    """
    holder = this_process()
    before = plan.unfinished
    return JobState(
        job=plan.job,
        alias=plan.alias,
        table=str(plan.selection.table.name),
        status=Status.RUNNING,
        holder=holder,
        beat=newest.beat if newest else 0,
        heartbeat=holder.since,
        terms=plan.terms,
        left=plan.left,
        rounds=before.rounds if before else (),
        since=plan.since,
        updates=plan.updates,
        nulled=before.nulled if before else 0,
        columns=tuple(column.name for column in plan.selection.columns),
        mapping_file=str(settings.mapping.resolve()) if settings.mapping else "",
        dead_letter_index=letters.name if letters else "",
        hosts=tuple(sorted({holder.host, *(before.hosts if before else ())})),
    )


def make_index(plan: Plan, cluster: Cluster, state: JobState) -> None:
    """Make the index of a job that begins anew, before anything else is changed.

    It may be asked for again where no answer came.

    Raises:
        Refused: where Elasticsearch does not accept the mapping or the settings: nothing is changed.
    """
    table = str(plan.selection.table.name)
    # By the token it is this job's, also where another one chose the same name in the same second.
    ours: JsonObject = {"version": __version__, "table": table, "job": plan.job, "token": state.holder.token}
    Indexes(cluster).create(plan.job, plan.mapping.mappings, plan.mapping.settings, {**plan.mapping.meta, **ours})


def discard_before(plan: Plan, cluster: Cluster, newest: JobState | None) -> None:
    """Remove what an unfinished job wrote, in whose place another has begun anew."""
    if newest is not None and newest.status in RESUMABLE and newest.job not in Indexes(cluster).current(plan.alias):
        discard(cluster, newest)
