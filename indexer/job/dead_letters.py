"""Dead letters: documents that Elasticsearch rejected for good, kept beside the job with their reason and their key."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from indexer.cache_folder import job_folder
from indexer.errors import FileError, TooManyFailures, UsageError
from indexer.job.context import JobContext
from indexer.model.document.dead_letter import DeadLetter
from indexer.model.document.row_key import RowKeys
from indexer.model.job.state import JobState
from indexer.sink.dead_letter_index import DeadLetterIndex

__all__ = [
    "FILE",
    "DeadLetterFile",
    "JobDeadLetters",
    "KeepLetters",
    "file_errors",
    "read_letters",
    "rewrite_letters",
]


@contextmanager
def file_errors(path: Path) -> Iterator[Path]:
    """Turn what the system raises while the file is written into an error that names it.

    Raises:
        FileError: where it cannot be written; the system names a file that it cannot open, but not one that is full.
    """
    try:
        yield path
    except OSError as error:
        raise FileError(str(path), error) from error


FILE: Final = "dead_letters.ndjson"
"""The name of a job's file of dead letters, in its folder."""

KeepLetters = Callable[[Sequence[DeadLetter]], None]
"""Takes dead letters that stay."""


class DeadLetterFile:
    """An NDJSON file of dead letters: id, key, status, reason, document. It is created with the first one.

    A resumed job continues its file: a document that was rejected twice is in it once.

    Args:
        path: where it is, or will be.
        limit: dead letters beyond which the job fails.
        keys: finds the letters' keys.
        index: where they are kept too, or None.

    Attributes:
        path: where it is, or will be.
    """

    def __init__(self, path: Path, limit: int, keys: RowKeys, index: DeadLetterIndex | None = None) -> None:
        self.path = path
        self._limit = limit
        self._keys = keys
        self._index = index
        self._lock = threading.Lock()
        self._ids = {letter.id for letter in read_letters(path)}
        _cut_half_a_line(path)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Write the letters through to the disk, and into the index where there is one.

        Raises:
            TooManyFailures: where the job has more than `--max-failures` of them; these are written all the same.
            TargetError: where the index does not take them.
            FileError: where the file cannot be written.
        """
        if not letters:
            return
        keyed = [self._keys.with_key(letter) for letter in letters]
        with self._lock:
            new = [letter for letter in keyed if letter.id not in self._ids]
            with file_errors(self.path) as path, path.open("ab") as file:
                file.writelines(map(_line, new))
                _write_through(file)  # before the next checkpoint moves past them
            self._ids.update(letter.id for letter in new)
        if self._index is not None:
            self._index.put(keyed)
        if len(self) > self._limit:
            raise TooManyFailures(
                f"{len(self):,} documents were rejected, more than --max-failures {self._limit:,};"
                f" the last reason is {letters[-1].reason!r}; fix the mapping, or see {self.path}."
            )


@contextmanager
def rewrite_letters(path: Path) -> Iterator[KeepLetters]:
    """Write a new file of dead letters beside the old one, and replace that once the block has ended well.

    Raises:
        FileError: where it cannot be written.
    """
    with file_errors(path.with_suffix(f".{os.getpid()}")) as new:
        try:
            with new.open("wb") as file:
                yield lambda letters: file.writelines(map(_line, letters))
                _write_through(file)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        new.replace(path)


def read_letters(path: Path) -> Iterator[DeadLetter]:
    """The dead letters of a file one by one; none where there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            # A kill can cut the last line; its document will be rejected, and written, once more.
            if line.endswith(b"\n"):
                yield DeadLetter.from_json(orjson.loads(line))


def _write_through(file: BinaryIO) -> None:
    """Flush to the disk, so that the letters survive a crash of the machine."""
    file.flush()
    os.fsync(file.fileno())


def _line(letter: DeadLetter) -> bytes:
    return orjson.dumps(letter.as_json(), option=orjson.OPT_APPEND_NEWLINE)


def _cut_half_a_line(path: Path) -> None:
    """Remove the half line that a kill left, so that the next line does not continue it."""
    if not path.is_file():
        return
    whole = 0
    with path.open("rb") as file:
        for line in file:
            whole += len(line) if line.endswith(b"\n") else 0
    os.truncate(path, whole)


class JobDeadLetters:
    """A job's dead letters, to be read and to be thinned out.

    Args:
        state: the job.
        context: where the index of dead letters is, if one was used.

    Attributes:
        path: the file; on a machine that did not run the job there is none.
        index: the index, where one was used and is there.
    """

    def __init__(self, state: JobState, context: JobContext) -> None:
        self.path: Path = job_folder(state.job) / FILE
        retry = context.limits.retry
        used = DeadLetterIndex(context.cluster, state.dead_letter_index, state.job, state.table, retry)
        self.index = used if state.dead_letter_index and used.exists() else None
        self._state = state

    def refuse_elsewhere(self) -> None:
        """Refuse a job that has dead letters where neither their file nor an index is at hand.

        Raises:
            UsageError: with the machines that have the file.
        """
        state = self._state
        if state.dead_letters and self.index is None and not self.path.is_file():
            raise UsageError(
                f"The dead letters of {state.job} are in a file on {' or '.join(state.hosts) or state.holder.host}, not"
                " on this machine; run the replay there, or reindex with --dead-letter-index so that every machine has"
                " them."
            )

    def __iter__(self) -> Iterator[DeadLetter]:
        """Each dead letter once: those of the file, then those that only the index has."""
        known = set()
        for letter in read_letters(self.path):
            if letter.id not in known:
                known.add(letter.id)
                yield letter
        for letter in self.index.letters() if self.index else ():
            if letter.id not in known:
                yield letter

    @contextmanager
    def thinned_out(self) -> Iterator[KeepLetters]:
        """Keep only the dead letters that the block hands over; the file is replaced once the block has ended well."""
        if not self.path.is_file():
            yield lambda _: None
            return
        with rewrite_letters(self.path) as keep:
            yield keep

    def settle(self, ids: Sequence[str], rejected: Sequence[DeadLetter]) -> None:
        """Update the index: of the dead letters with these ids, only those that were rejected once more stay."""
        if self.index is not None:
            remaining = {letter.id for letter in rejected}
            self.index.put(rejected)
            self.index.remove([id_ for id_ in ids if id_ not in remaining])
