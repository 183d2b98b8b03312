"""Every error that this product raises on purpose, with its exit code and whether a retry can help.

::

    IndexerError                   1  failed; the old index is still served
    ├── UsageError                 2  bad input; nothing changed on either side
    ├── SourceError                1  the source rejected a request
    │   ├── SourceUnavailable      1  retryable: no answer, or a node is down
    │   │   └── ShardsUnavailable  1  retryable: the source answers without some of its rows
    │   └── ResponseTooLarge       1  retryable with a smaller page: the answer exceeds the memory limit
    │       └── BreakerTripped     1  retryable with a smaller page: the source's circuit breaker tripped
    ├── TargetError                1  Elasticsearch rejected a request
    │   ├── TargetUnavailable      1  retryable: no answer, 502, 503 or 504
    │   │   └── TargetBusy         1  retryable with fewer and smaller requests: 429
    │   └── RequestTooLarge        1  retryable in halves: 413
    ├── NoProgress                 1  a page did not advance: the source broke its order
    ├── TooManyFailures            1  more dead letters than --max-failures
    ├── VerificationFailed         4  rows are missing; the alias was not moved
    ├── FileError                  1  a local file cannot be read or written
    └── Interrupted              130  Ctrl-C; the old index is still served, and the job can be resumed
        └── Terminated           143  SIGTERM, or the terminal closed; the job can be resumed

A message is one sentence: the thing by its name, what is wrong, the remedy. Whether an error is retryable is a property
of its class, decided where the server's answer is classified (`indexer.source.errors`, `indexer.sink.errors`).
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "BreakerTripped",
    "FileError",
    "IndexerError",
    "Interrupted",
    "NoProgress",
    "RequestTooLarge",
    "ResponseTooLarge",
    "ShardsUnavailable",
    "SourceError",
    "SourceUnavailable",
    "TargetBusy",
    "TargetError",
    "TargetUnavailable",
    "Terminated",
    "TooManyFailures",
    "UsageError",
    "VerificationFailed",
    "did_you_mean",
]


class IndexerError(Exception):
    """The job failed; the old index is still served.

    Attributes:
        reason: what the server or the system said, in a few words; may be empty.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    reason: str = ""


class UsageError(IndexerError):
    """Bad input, found before anything was changed on either side."""

    exit_code = 2


class SourceError(IndexerError):
    """The source rejected a request; a retry would not help.

    Attributes:
        code: CrateDB's error code (for example 4041), or None where the source has no codes.
    """

    def __init__(self, message: str, code: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class SourceUnavailable(SourceError):
    """The source did not answer, or one of its nodes is down."""

    retryable = True


class ShardsUnavailable(SourceUnavailable):
    """Some shards are unavailable, so pages may lack their rows: what was read since the last check is void."""


class ResponseTooLarge(SourceError):
    """An answer exceeds the memory limit; the same rows may fit in smaller pages."""

    retryable = True


class BreakerTripped(ResponseTooLarge):
    """The source's query circuit breaker tripped: it needs more memory for a page than the page's own size."""


class TargetError(IndexerError):
    """Elasticsearch rejected a request; a retry would not help.

    Attributes:
        status: the HTTP status, or None where there was none.
    """

    def __init__(self, message: str, status: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class TargetUnavailable(TargetError):
    """Elasticsearch did not answer, or asked for a retry."""

    retryable = True


class TargetBusy(TargetUnavailable):
    """Elasticsearch is overloaded (429); it may accept fewer and smaller requests."""


class RequestTooLarge(TargetError):
    """Elasticsearch rejected a request body for its size (413); its halves may fit."""

    retryable = True


class NoProgress(IndexerError):
    """A page did not advance, or contained rows from outside its window."""


class TooManyFailures(IndexerError):
    """Elasticsearch rejected more documents than `--max-failures` allows."""


class VerificationFailed(IndexerError):
    """The new index lacks rows of the source; the alias was not moved."""

    exit_code = 4


class FileError(IndexerError):
    """A local file cannot be read or written: the disk is full, or the user has no access.

    Args:
        name: the file.
        error: the system's error.
    """

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(
            f"{name} cannot be read or written ({error.strerror or error}); free space or grant access, or name another"
            " folder (INDEXER_CACHE for jobs and local servers), then run the same command again."
        )


class Interrupted(IndexerError):
    """The user stopped the job."""

    exit_code = 130


class Terminated(Interrupted):
    """The system stopped the job, by SIGTERM or SIGHUP."""

    exit_code = 143


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: ` Did you mean a or b?`, or nothing where no name is similar."""
    close = get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""
