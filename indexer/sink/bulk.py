"""Writing batches through `_bulk`: every document ends acknowledged or as a dead letter, or the write fails."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from urllib.parse import quote

from indexer.errors import RequestTooLarge, TargetBusy, TargetError, TargetUnavailable
from indexer.model.document.bulk_request import split_batches
from indexer.model.document.bulk_response import BulkResponse, WriteResult, read_bulk_response
from indexer.model.document.dead_letter import DeadLetter
from indexer.model.json import Json
from indexer.retry import OnWait, Retrier, RetryPolicy, ignore_wait
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, index_blocked, reason_of, translated_errors
from indexer.sink.index_name import loading_alias
from indexer.sink.rate_limit import RateLimit, RateLimiter

__all__ = ["BulkWriter"]

Send: TypeAlias = Callable[[Sequence[bytes], RateLimit], BulkResponse]

_HEADERS: Final = {"accept": "application/json", "content-type": "application/x-ndjson"}

_PARAMS: Final = {
    # All that `read_bulk_response` reads: 26 bytes for a document that was indexed.
    "filter_path": "errors,items.*.status,items.*.error",
    # Without it, a request for a deleted index would create it again, with guessed types.
    "require_alias": "true",
}


class BulkWriter:
    """Writes batches to one index. Threads may share it, and with it one rate limit.

    It writes through the index's loading alias (`indexer.sink.index_name`), so that an index which is deleted during
    the job stays deleted. A batch costs one copy of its bytes, for the request's body.

    Args:
        cluster: where the index is.
        index: the index, created by `Indexes.create` and not switched to yet.
        alias: write through this alias instead, where the index is already served.
        limiter: requests in flight and their size, and the event that stops the job; unlimited by default.
        retry: how long a batch is retried of which not one document passes.
        on_wait: told of each wait.
    """

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        *,
        alias: str | None = None,
        limiter: RateLimiter | None = None,
        retry: RetryPolicy | None = None,
        on_wait: OnWait = ignore_wait,
    ) -> None:
        self._index = index
        self._client = cluster.single
        self._path = f"/{quote(alias or loading_alias(index), safe='')}/_bulk"
        self._limiter = limiter or RateLimiter()
        self._retrier = Retrier(retry, self._limiter.stop, on_wait=on_wait)

    def write(self, lines: Sequence[bytes]) -> WriteResult:
        r"""Write one batch, in as many requests as it takes.

        Args:
            lines: one document each, as `_bulk` takes it: `{"index":{"_id":"..."}}`, `\n`, the source, `\n`.

        Raises:
            TargetUnavailable: where the server did not take every document in the time for retries.
            TargetError: where the index takes no documents at all: it is deleted, closed or blocked, or the user may
                not write to it.
            Interrupted: where the job was stopped.
        """
        return _Delivery(self._index, self._limiter, self._send, self._retrier, lines).run()

    def _send(self, lines: Sequence[bytes], limit: RateLimit) -> BulkResponse:
        try:
            response = self._request(lines)
        except TargetBusy as failure:
            self._limiter.rejected(limit, f"{failure.status} {reason_of(failure)}")
            raise
        if response.busy:
            self._limiter.rejected(limit, response.retry_reason)
        elif response.acknowledged:
            self._limiter.accepted()
        return response

    def _request(self, lines: Sequence[bytes]) -> BulkResponse:
        with translated_errors(f"index documents into {self._index}"):
            response = self._client.perform_request(
                "POST", self._path, params=_PARAMS, headers=_HEADERS, body=b"".join(lines)
            )
        body: Json = response.body
        return read_bulk_response(len(lines), body)


class _Delivery:
    """One batch on its way: the chunks still to be sent, and the outcome of the others."""

    def __init__(self, index: str, limiter: RateLimiter, send: Send, retrier: Retrier, lines: Sequence[bytes]) -> None:
        self._index = index
        self._limiter = limiter
        self._send = send
        self._retrier = retrier
        self._attempts = retrier.attempts()
        self._pending = [lines] if lines else []
        self._acknowledged = 0
        self._replaced = 0
        self._dead_letters: list[DeadLetter] = []
        self._retries = 0

    def run(self) -> WriteResult:
        while self._pending:
            self._retrier.check()
            try:
                with self._limiter.request() as limit:
                    chunk = self._next_chunk(limit)
                    response = self._send(chunk, limit)
            except TargetUnavailable as failure:
                self._retry(chunk, failure)
            except TargetError as error:
                self._split(chunk, error)
            else:
                self._settle(chunk, response)
        return WriteResult(self._acknowledged, tuple(self._dead_letters), self._retries, self._replaced)

    def _next_chunk(self, limit: RateLimit) -> Sequence[bytes]:
        """The next chunk, cut to what the limit allows; the rest of it stays next in line."""
        chunk = self._pending.pop()
        if limit.full:
            return chunk
        head = next(split_batches(chunk, limit.bytes)).lines
        if len(head) < len(chunk):
            self._pending.append(chunk[len(head) :])
        return head

    def _settle(self, chunk: Sequence[bytes], response: BulkResponse) -> None:
        if response.fatal:
            raise index_blocked(self._index, response.fatal)
        self._acknowledged += response.acknowledged
        self._replaced += response.replaced
        self._dead_letters += [
            DeadLetter.from_line(chunk[item.position], item.status, item.reason) for item in response.rejected
        ]
        if len(response.retry) < len(chunk):
            self._attempts.reset()
        if response.retry:
            retry = [chunk[position] for position in response.retry]
            self._retry(retry, self._rejection(len(retry), response))

    def _retry(self, chunk: Sequence[bytes], failure: TargetUnavailable) -> None:
        self._attempts.wait(failure)
        self._retries += 1
        self._pending.append(chunk)

    def _rejection(self, documents: int, response: BulkResponse) -> TargetUnavailable:
        kind = TargetBusy if response.busy else TargetUnavailable
        return kind(
            f"Elasticsearch kept rejecting {documents:,} documents for {self._index} ({response.retry_reason});"
            " reduce its load or lower --writers, then run the job again.",
            reason=response.retry_reason,
        )

    def _split(self, chunk: Sequence[bytes], error: TargetError) -> None:
        # A request is rejected as a whole for its size (413), or where one `_id` has more than 512 bytes (400).
        if not isinstance(error, RequestTooLarge) and error.status != BAD_REQUEST:
            raise error
        middle = len(chunk) // 2
        if middle:
            self._pending += [chunk[middle:], chunk[:middle]]
        else:
            self._dead_letters.append(
                DeadLetter.from_line(chunk[0], error.status or BAD_REQUEST, _rejection_reason(chunk[0], error))
            )


def _rejection_reason(line: bytes, error: TargetError) -> str:
    """Why a request of one document was rejected; for its size, the server or a proxy says no more than 413."""
    reason = reason_of(error)
    if not isinstance(error, RequestTooLarge):
        return reason
    return f"{reason}: {len(line):,} bytes exceed http.max_content_length, or the limit of a proxy"
