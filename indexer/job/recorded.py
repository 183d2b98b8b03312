"""The dead letters that a job which ended has left: in its file, in an index, or in both."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import Refused
from indexer.job.dead_letters import FILE, Keep, read_letters, rewriting
from indexer.job.folder import job_folder
from indexer.model.job import JobState
from indexer.model.outcome import DeadLetter
from indexer.target.client import Cluster
from indexer.target.dead_letter_index import DeadLetterIndex

__all__ = ["Recorded"]


class Recorded:
    """A job's dead letters, to be read and to be thinned out.

    Args:
        state: the job.
        cluster: where the index of dead letters is, if one was used.
        patience: seconds that Elasticsearch may refuse a change of it.

    Attributes:
        path: the file; on a machine that did not run the job there is none.
        index: the index, where one was used and is there.
    """

    def __init__(self, state: JobState, cluster: Cluster, patience: float) -> None:
        self.path: Path = job_folder(state.job) / FILE
        used = DeadLetterIndex(cluster, state.dead_letter_index, state.job, state.table, patience)
        self.index = used if state.dead_letter_index and used.exists() else None
        self._state = state

    def refuse_elsewhere(self) -> None:
        """Refuse where the job has dead letters, and neither file nor index is there.

        Raises:
            Refused: with the machines that have the file.
        """
        state = self._state
        if state.dead_letters and self.index is None and not self.path.is_file():
            raise Refused(
                f"The dead letters of {state.job} are in a file on {' or '.join(state.hosts) or state.holder.host}, not"
                " here: run the replay there, or reindex with --dead-letter-index so that every machine has them."
            )

    def __iter__(self) -> Iterator[DeadLetter]:
        """Each dead letter once: those of the file, then those that only the index has."""
        seen = set()
        for letter in read_letters(self.path):
            if letter.id not in seen:
                seen.add(letter.id)
                yield letter
        for letter in self.index.letters() if self.index else ():
            if letter.id not in seen:
                yield letter

    @contextmanager
    def thinned_out(self) -> Iterator[Keep]:
        """Take, within the block, the dead letters that stay in the file; it is replaced once the block ended well."""
        if not self.path.is_file():
            yield lambda _: None
            return
        with rewriting(self.path) as keep:
            yield keep

    def settle(self, ids: Sequence[str], again: Sequence[DeadLetter]) -> None:
        """Bring the index up to date: of the dead letters with these ids only those that were rejected again stay."""
        if self.index is not None:
            left = {letter.id for letter in again}
            self.index.put(again)
            self.index.remove([id_ for id_ in ids if id_ not in left])
