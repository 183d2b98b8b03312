"""The plan of a job: everything that is decided before anything is created."""

from dataclasses import dataclass

from indexer.model.capabilities import Capabilities
from indexer.model.mapping import Mapping
from indexer.model.selection import Selection
from indexer.model.slice import Slice

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job will do.

    Attributes:
        job: the job's name, which is also the new index's: `logs_20261122_101500`.
        alias: the target.
        served: the indexes that the alias points to now.
        selection: what is read.
        slices: the frozen division of the table.
        flat: whether windows are used; False where the strategy or the source does not have them.
        mapping: the new index's fields and settings.
        overlay: where the overlay came from, for people.
        capabilities: what the cluster answered.
        templates: the names of index templates that match the new index.
        page: rows a page.
    """

    job: str
    alias: str
    served: tuple[str, ...]
    selection: Selection
    slices: tuple[Slice, ...]
    flat: bool
    mapping: Mapping
    overlay: str
    capabilities: Capabilities
    templates: tuple[str, ...]
    page: int

    @property
    def rows(self) -> int:
        """How many rows the source held when the plan was made."""
        return sum(part.rows for part in self.slices)
