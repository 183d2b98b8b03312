"""Dead letters: documents that Elasticsearch rejected for good, kept with their reason."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import orjson

from indexer.errors import TooManyFailures
from indexer.model.outcome import DeadLetter

__all__ = ["FILE", "DeadLetterFile", "read_letters"]

FILE: Final = "dead_letters.ndjson"
"""The name of a job's file of dead letters, in its folder."""


class DeadLetterFile:
    """An NDJSON file of dead letters: id, status, reason, document. It is made with the first one.

    A resumed job goes on with its file: a document that was rejected before, and again, is in it once.

    Attributes:
        path: where it is, or will be.
    """

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self._most = most
        self._lock = threading.Lock()
        self._ids = {letter.id for letter in read_letters(path)}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Write the letters through to the disk.

        Raises:
            TooManyFailures: where the job has more than `--max-failures` of them; they are written all the same.
        """
        if not letters:
            return
        with self._lock:
            new = [letter for letter in letters if letter.id not in self._ids]
            self._ids.update(letter.id for letter in new)
            with self.path.open("ab") as file:
                file.writelines(orjson.dumps(asdict(letter)) + b"\n" for letter in new)
        if len(self) > self._most:
            raise TooManyFailures(
                f"{len(self):,} documents were rejected, more than --max-failures {self._most:,};"
                f" the last reason is {letters[-1].reason!r}: mend the mapping, or see {self.path}."
            )


def read_letters(path: Path) -> Iterator[DeadLetter]:
    """The dead letters of a file one by one, without their documents; none where there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            # A kill can cut the last line; its document comes again.
            if line.endswith(b"\n"):
                yield DeadLetter(**{**orjson.loads(line), "document": None})
