"""The plan of a job: everything that is decided before anything is created."""

from dataclasses import dataclass

from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.state import JobState
from indexer.model.mapping.analysis import Capabilities
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job will do.

    Attributes:
        job: the job's name, which is also the new index's: `logs_20261122_101500`.
        unfinished: the job that this one goes on with; None where it begins anew.
        alias: the target.
        served: the indexes that the alias points to now.
        selection: what is read.
        left: the frozen division of the table, or what an unfinished job left of it.
        later: what passes after the load are read by: the column of `--catch-up`, else the key; None where its values
            are not numbers that grow.
        since: the highest value of that column when the job began; None where there was none.
        updates: what the source said of the updates of its rows when the job began; None where it does not matter, or
            the source cannot tell.
        terms: what must not change until the job is done, over all its resumes.
        flat: whether windows are used; False where the strategy or the source does not have them.
        mapping: the new index's fields and settings.
        overlay: where the overlay came from, for people.
        capabilities: what the cluster answered.
        templates: the names of index templates that match the new index.
        page: rows a page.
    """

    job: str
    unfinished: JobState | None
    alias: str
    served: tuple[str, ...]
    selection: Selection
    slices: tuple[SliceProgress, ...]
    later: Selection | None
    since: int | None
    updates: int | None
    fingerprint: dict[str, str]
    flat: bool
    mapping: IndexMapping
    overlay: str
    capabilities: Capabilities
    templates: tuple[str, ...]
    page: int

    @property
    def rows(self) -> int:
        """How many rows the source held when the job began."""
        return sum(part.rows for part in self.slices)
