"""Every error this product raises on purpose, with its exit code and whether trying again can help.

::

    IndexerError                 1  failed; the old index is still served
    ├── UsageError                  2  bad input; nothing was changed on either side
    ├── SourceError              1  the source answered with an error that will not pass
    │   ├── SourceUnavailable    1  retryable: no answer, or a node is away
    │   │   └── ShardsUnavailable       1  the source answers, but without some of its rows
    │   └── ResponseTooLarge        1  retryable with a smaller page: an answer larger than there is room for
    │       └── BreakerTripped   1  likewise: the source's query circuit breaker tripped
    ├── TargetError              1  Elasticsearch answered with an error that will not pass
    │   ├── TargetUnavailable    1  retryable: no answer, 502, 503 or 504
    │   │   └── TargetBusy       1  retryable with fewer and smaller requests: 429
    │   └── RequestTooLarge         1  retryable in halves: 413
    ├── NoProgress               1  a page did not advance: the source broke the order it promised
    ├── TooManyFailures          1  more dead letters than --max-failures
    ├── VerificationFailed       4  rows are missing; the alias was not moved
    ├── FileError                1  a file of this machine cannot be read or written
    └── Interrupted            130  Ctrl-C; the old index is still served, a resume goes on
        └── Terminated         143  SIGTERM, or the terminal closed; likewise

A message is one sentence: the thing by its name, then the remedy. Whether an error is retryable is a property of its
class, decided where the server's answer is classified (`indexer.source.errors`, `indexer.sink.errors`) and
nowhere else.
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
    """The root: a job that failed. The old index is still served.

    Attributes:
        reason: what the server or the system said, in a few words; empty where the sentence alone tells.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    reason: str = ""


class UsageError(IndexerError):
    """Bad input, found before anything was changed on either side."""

    exit_code = 2


class SourceError(IndexerError):
    """The source answered with an error that will not pass by itself.

    Attributes:
        code: CrateDB's error code (for example 4041), or None where the source has no codes.
    """

    def __init__(self, message: str, code: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class SourceUnavailable(SourceError):
    """The source did not answer, or one of its nodes is away."""

    retryable = True


class ShardsUnavailable(SourceUnavailable):
    """Some shards are away, so that pages may come without their rows: what was read since the last check is void."""


class ResponseTooLarge(SourceError):
    """An answer is larger than there is room for: the same rows may pass in smaller pages."""

    retryable = True


class BreakerTripped(ResponseTooLarge):
    """The source's query circuit breaker tripped: a page takes more memory there than its rows are large."""


class TargetError(IndexerError):
    """Elasticsearch answered with an error that will not pass by itself.

    Attributes:
        status: the HTTP status, or None where there was none.
    """

    def __init__(self, message: str, status: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class TargetUnavailable(TargetError):
    """Elasticsearch did not answer, or asked to be asked later."""

    retryable = True


class TargetBusy(TargetUnavailable):
    """Elasticsearch has more to do than it can (429): it takes fewer and smaller requests."""


class RequestTooLarge(TargetError):
    """Elasticsearch refused a request body for its size (413): its halves may pass."""

    retryable = True


class NoProgress(IndexerError):
    """A page did not advance, or held rows from outside its window."""


class TooManyFailures(IndexerError):
    """More documents were rejected for good than `--max-failures` allows."""


class VerificationFailed(IndexerError):
    """The new index does not hold what the source held; the alias was not moved."""

    exit_code = 4


class FileError(IndexerError):
    """A file of this machine cannot be read or written: the disk is full, or it is not the user's.

    Args:
        name: of the file.
        error: what the system says of it.
    """

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(
            f"{name} cannot be read or written, {error.strerror or error}: make room or grant access, or name another"
            " folder (INDEXER_CACHE for jobs and local servers), and run the same command again."
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
