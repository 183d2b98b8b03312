"""Dead letters: documents that Elasticsearch rejected for good, kept with their reason."""

import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import orjson

from indexer.errors import TooManyFailures
from indexer.model.outcome import DeadLetter

__all__ = ["DeadLetterFile"]


class DeadLetterFile:
    """An NDJSON file of dead letters: id, status, reason, document. It is made with the first one.

    Attributes:
        path: where it is, or will be.
        count: how many it holds.
    """

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self.count = 0
        self._most = most
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Write the letters through to the disk.

        Raises:
            TooManyFailures: where the job has more than `--max-failures` of them; they are written all the same.
        """
        if not letters:
            return
        with self._lock:
            self._file = self._file or self.path.open("wb")
            self._file.writelines(orjson.dumps(asdict(letter)) + b"\n" for letter in letters)
            self._file.flush()
            self.count += len(letters)
        if self.count > self._most:
            raise TooManyFailures(
                f"{self.count:,} documents were rejected, more than --max-failures {self._most:,};"
                f" the last reason is {letters[-1].reason!r}: mend the mapping, or see {self.path}."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
