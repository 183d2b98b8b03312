"""Writing batches through `_bulk`: every document ends acknowledged or as a dead letter, or the write fails."""

from collections.abc import Callable, Sequence
from threading import Event
from typing import Final
from urllib.parse import quote

from indexer.errors import Interrupted, RequestTooLarge, TargetBusy, TargetError, TargetUnavailable
from indexer.model.document.bulk_response import (
    BulkResponse,
    DeadLetter,
    WriteResult,
    dead_letter,
    read_bulk_response,
    split_batches,
)
from indexer.model.json import Json
from indexer.retry import RetryPolicy
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, index_blocked, reason_of, translated_errors
from indexer.sink.index_name import loading_alias
from indexer.sink.rate_limit import OnRateLimit, RateLimit, RateLimiter

__all__ = ["BulkWriter"]

Send = Callable[[Sequence[bytes], RateLimit], BulkResponse]
OnWait = Callable[[str, float], None]

_WIDEST: Final = RateLimit(most_requests=64, most_bytes=100 * 1024 * 1024)
"""As many and as large requests as the settings allow."""

HEADERS: Final = {"accept": "application/json", "content-type": "application/x-ndjson"}

PARAMS: Final = {
    # All that `read_bulk_response` reads; of a document that is done, 26 bytes are left.
    "filter_path": "errors,items.*.status,items.*.error",
    # Without it, a request for an index that someone deleted would make it anew, with guessed types.
    "require_alias": "true",
}


class BulkWriter:
    """Writes batches to one index. Threads may share it, and with it one pace.

    It writes through the index's loading alias (`indexer.sink.index_name`), so that an index which someone deletes in
    mid-job stays deleted. A batch costs one copy of its bytes, for the request's body.

    Args:
        cluster: where to.
        index: the index, made by `Indexes.create` and not switched to yet.
        alias: write through this alias instead, where the index is served already.
        stop: once it is set, every wait ends and `write` raises.
        patience: seconds that a batch may be refused without a single document of it passing.
        on_wait: called before each wait with its reason and its seconds, by the thread that waits.
        pace: requests in flight and their bytes while Elasticsearch takes them; it answers 429 where that is too much.
        on_pace: called with each new pace and the last 429.
    """

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        *,
        alias: str | None = None,
        stop: Event | None = None,
        patience: float = 300.0,
        on_wait: OnWait | None = None,
        pace: RateLimit = _WIDEST,
        on_pace: OnRateLimit | None = None,
    ) -> None:
        self._index = index
        self._client = cluster.single
        self._path = f"/{quote(alias or loading_alias(index), safe='')}/_bulk"
        self._stop = stop or Event()
        self._patience = patience
        self._on_wait = on_wait
        self._gate = RateLimiter(pace, self._stop, on_pace)

    def write(self, lines: Sequence[bytes]) -> WriteResult:
        r"""Write one batch, as often and in as many parts as it takes.

        Args:
            lines: one document each, as `_bulk` takes it: `{"index":{"_id":"..."}}`, `\n`, the source, `\n`.

        Raises:
            TargetUnavailable: where patience ended before the server took every document.
            TargetError: where the index takes no documents at all: deleted, closed, blocked, not allowed.
            Interrupted: where `stop` was set.
        """
        pauses = _Pauses(RetryPolicy(self._patience), self._stop, self._on_wait)
        return _Delivery(self._index, self._gate, self._send, pauses, lines).run()

    def _send(self, lines: Sequence[bytes], pace: RateLimit) -> BulkResponse:
        try:
            outcome = self._request(lines)
        except TargetBusy as failure:
            self._gate.refused(pace, f"{failure.status} {reason_of(failure)}")
            raise
        if outcome.busy:
            self._gate.refused(pace, outcome.why_retry)
        elif outcome.done:
            self._gate.taken()
        return outcome

    def _request(self, lines: Sequence[bytes]) -> BulkResponse:
        with translated_errors(f"take documents for {self._index}"):
            response = self._client.perform_request(
                "POST", self._path, params=PARAMS, headers=HEADERS, body=b"".join(lines)
            )
        body: Json = response.body
        return read_bulk_response(len(lines), body)


class _Pauses:
    """The waits between the tries of one batch, which end at once where the job stops."""

    def __init__(self, patience: RetryPolicy, stop: Event, on_wait: OnWait | None) -> None:
        self.calm = patience.calm
        self._patience = patience
        self._stop = stop
        self._on_wait = on_wait

    def go_on(self) -> None:
        if self._stop.is_set():
            raise Interrupted("The job was stopped; the old index is still served.")

    def wait(self, failure: TargetUnavailable, reason: str) -> None:
        seconds = self._patience.pause()
        if seconds is None:
            raise failure
        if self._on_wait is not None:
            self._on_wait(reason, seconds)
        self._stop.wait(seconds)


class _Delivery:
    """One batch on its way: the parts still to be sent, and what became of the rest."""

    def __init__(self, index: str, gate: RateLimiter, send: Send, pauses: _Pauses, lines: Sequence[bytes]) -> None:
        self._index = index
        self._gate = gate
        self._send = send
        self._pauses = pauses
        self._todo = [lines] if lines else []
        self._done = 0
        self._replaced = 0
        self._dead: list[DeadLetter] = []
        self._retries = 0

    def run(self) -> WriteResult:
        while self._todo:
            self._pauses.go_on()
            try:
                with self._gate.request() as pace:
                    part = self._next(pace)
                    outcome = self._send(part, pace)
            except TargetUnavailable as failure:
                self._again(part, failure, str(failure))
            except TargetError as error:
                self._split(part, error)
            else:
                self._settle(part, outcome)
        return WriteResult(self._done, tuple(self._dead), self._retries, self._replaced)

    def _next(self, pace: RateLimit) -> Sequence[bytes]:
        """The next part, or as much of it as the pace allows; what is over stays first among those to be sent."""
        part = self._todo.pop()
        if pace.full:
            return part
        head = next(split_batches(part, pace.bytes)).lines
        if len(head) < len(part):
            self._todo.append(part[len(head) :])
        return head

    def _settle(self, part: Sequence[bytes], outcome: BulkResponse) -> None:
        if outcome.fatal:
            raise index_blocked(self._index, outcome.fatal)
        self._done += outcome.done
        self._replaced += outcome.again
        self._dead += [dead_letter(part[item.place], item.status, item.reason) for item in outcome.rejected]
        if len(outcome.retry) < len(part):
            self._pauses.calm()
        if outcome.retry:
            left = [part[place] for place in outcome.retry]
            self._again(left, self._refused(left, outcome.why_retry), outcome.why_retry)

    def _again(self, part: Sequence[bytes], failure: TargetUnavailable, reason: str) -> None:
        self._pauses.wait(failure, reason)
        self._retries += 1
        self._todo.append(part)

    def _refused(self, left: Sequence[bytes], reason: str) -> TargetUnavailable:
        return TargetUnavailable(
            f"Elasticsearch kept refusing {len(left):,} documents for {self._index} ({reason});"
            " relieve it or lower --writers, then run the job again."
        )

    def _split(self, part: Sequence[bytes], error: TargetError) -> None:
        # A request is refused as a whole for its size (413), or where one `_id` has more than 512 bytes (400).
        if not isinstance(error, RequestTooLarge) and error.status != BAD_REQUEST:
            raise error
        middle = len(part) // 2
        if middle:
            self._todo += [part[middle:], part[:middle]]
        else:
            self._dead.append(dead_letter(part[0], error.status or BAD_REQUEST, _why_alone(part[0], error)))


def _why_alone(line: bytes, error: TargetError) -> str:
    """Why a request of one document was refused; of its size, a server or a proxy before it says no more than 413."""
    reason = reason_of(error)
    if not isinstance(error, RequestTooLarge):
        return reason
    return f"{reason}: {len(line):,} bytes are more than http.max_content_length, or a proxy before it, lets through"
