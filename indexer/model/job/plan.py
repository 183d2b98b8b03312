"""The plan of a job: everything that is decided before anything is created."""

from dataclasses import dataclass

from indexer.model.job.checkpoint import SliceProgress
from indexer.model.job.state import JobState
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.mapping import IndexMapping
from indexer.model.table.selection import Selection

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job will do.

    Attributes:
        job: the job's name, which is also the new index's: `logs_20261122_101500`.
        unfinished: the job that this one resumes; None where it starts anew.
        alias: the target.
        served: the indexes that the alias points to now.
        selection: what is read.
        slices: the frozen slices of the table, with the progress of the job that is resumed.
        later: what passes after the load are read by: the column of `--catch-up`, else the key; None where its values
            are not numbers that grow.
        since: the highest value of that column when the job began; None where there was none.
        updates: the source's counter of updates when the job began; None where it does not matter, or the source has
            none.
        fingerprint: what must not change until the job is done, over all its resumes.
        strategy: how pages advance.
        flat: whether windows are used; False where the strategy or the source does not have them.
        mapping: the new index's fields and settings.
        overlay: where the overlay came from, for people.
        capabilities: what the cluster answered.
        templates: the names of index templates that match the new index.
        page: rows of a page, at most.
        catch_up: whether passes after the load read rows that were added, by `--catch-up`.
        switch: whether the alias moves to the new index.
        keep: older indexes that are kept after a switch.
        max_failures: dead letters beyond which the job fails.
        mapping_file: what `--mapping` named, as an absolute path; or empty.
        dead_letter_index: where dead letters are kept besides the file; or empty.
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
    strategy: str
    flat: bool
    mapping: IndexMapping
    overlay: str
    capabilities: Capabilities
    templates: tuple[str, ...]
    page: int
    catch_up: bool
    switch: bool
    keep: int
    max_failures: int
    mapping_file: str
    dead_letter_index: str

    @property
    def rows(self) -> int:
        """How many rows the source held when the job began."""
        return sum(progress.rows for progress in self.slices)
