"""The response to a `_bulk` request: the documents acknowledged, those to retry, and those rejected for good."""

from dataclasses import dataclass
from typing import TypeGuard

from indexer.model.document.dead_letter import DeadLetter
from indexer.model.json import Json, JsonObject

__all__ = [
    "INDEX_WIDE_ERRORS",
    "LOST_NODE_ERRORS",
    "TOO_MANY_REQUESTS",
    "TRANSIENT_STATUSES",
    "BulkResponse",
    "Rejection",
    "WriteResult",
    "error_reason",
    "is_transient",
    "read_bulk_response",
]

TOO_MANY_REQUESTS = 429
"""Elasticsearch is overloaded: retry later, with fewer and smaller requests."""

TRANSIENT_STATUSES = frozenset({TOO_MANY_REQUESTS, 502, 503, 504})
"""Statuses that a retry can get past."""

LOST_NODE_ERRORS = frozenset(
    {
        "connect_transport_exception",
        "node_closed_exception",
        "node_disconnected_exception",
        "node_not_connected_exception",
    }
)
"""Error types of a node that left the cluster. Elasticsearch reports them as 500, its default for any exception."""

INDEX_WIDE_ERRORS = frozenset(
    {"cluster_block_exception", "index_closed_exception", "index_not_found_exception", "security_exception"}
)
"""Error types that hit every document of the index: dead letters would be wrong, the job has to stop."""

_HEAD, _TAIL = 300, 200
"""Characters kept from either end of a reason: Elasticsearch quotes the rejected value, which may have megabytes."""

_CREATED: JsonObject = {"index": {"status": 201}}
_REPLACED: JsonObject = {"index": {"status": 200}}


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of writing one batch, after all its retries.

    Attributes:
        acknowledged: how many documents Elasticsearch acknowledged.
        dead_letters: the documents that it rejected for good; with `acknowledged` they add up to the batch.
        retries: how many requests repeated documents of the batch.
        replaced: how many of `acknowledged` replaced a document with the same `_id`.
    """

    acknowledged: int
    dead_letters: tuple[DeadLetter, ...]
    retries: int
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """An item of a response that reports an error.

    Attributes:
        position: the document's index in the request, from 0.
        status: the item's HTTP status.
        type: the error's type, for example `document_parsing_exception`.
        reason: the error's type and reason, shortened.
    """

    position: int
    status: int
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class BulkResponse:
    """What one response says about the documents of its request.

    Attributes:
        acknowledged: how many documents were acknowledged.
        retry: the positions of the documents to send again, ascending.
        retry_reason: the first 429, else the first error, or what is wrong with the response; empty without `retry`.
        busy: whether a document was refused with 429.
        rejected: the documents that were rejected for good.
        fatal: an error of the index as a whole, which ends the job; or None.
        replaced: how many of `acknowledged` replaced a document with the same `_id`.
    """

    acknowledged: int
    retry: tuple[int, ...] = ()
    retry_reason: str = ""
    busy: bool = False
    rejected: tuple[Rejection, ...] = ()
    fatal: Rejection | None = None
    replaced: int = 0


def read_bulk_response(sent: int, response: Json) -> BulkResponse:
    """Sort the `sent` documents by the response, which the request narrowed to `errors`, `status` and `error`.

    Only an item with status 200 or 201 and no error counts as acknowledged. A response that is malformed as a whole
    (items missing, not a bulk response, an impossible status) acknowledges nothing: every document is sent again, which
    is harmless, because a document overwrites itself.
    """
    items = response.get("items") if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(items, list):
        return _malformed(sent, "a response that is not a bulk response")
    if len(items) != sent:
        return _malformed(sent, f"a response with {len(items)} items for {sent} documents")
    replaced = items.count(_REPLACED)
    acknowledged = items.count(_CREATED) + replaced
    if response.get("errors") is not (acknowledged < sent):
        return _malformed(sent, "a response whose items contradict its errors flag")
    if acknowledged == sent:
        return BulkResponse(acknowledged, replaced=replaced)
    return _with_errors(items, acknowledged, replaced)


def _with_errors(items: list[Json], acknowledged: int, replaced: int) -> BulkResponse:
    errors = [_rejection(position, item) for position, item in enumerate(items) if item not in (_CREATED, _REPLACED)]
    rejections = [error for error in errors if error is not None]
    if len(rejections) < len(errors):
        return _malformed(len(items), "a response with an item that has no status or error")
    transient = [error for error in rejections if is_transient(error.status, error.type)]
    permanent = [error for error in rejections if not is_transient(error.status, error.type)]
    first = next((error for error in transient if error.status == TOO_MANY_REQUESTS), next(iter(transient), None))
    return BulkResponse(
        acknowledged=acknowledged,
        retry=tuple(error.position for error in transient),
        retry_reason=f"{first.status} {first.reason}" if first else "",
        busy=first is not None and first.status == TOO_MANY_REQUESTS,
        rejected=tuple(error for error in permanent if error.type not in INDEX_WIDE_ERRORS),
        fatal=next((error for error in permanent if error.type in INDEX_WIDE_ERRORS), None),
        replaced=replaced,
    )


def is_transient(status: int, kind: str) -> bool:
    """Whether an error of this status and type passes by itself, so that a retry can succeed."""
    # A full disk answers 429 with a cluster block, which stays until someone frees space; a 503 block passes.
    if kind in INDEX_WIDE_ERRORS:
        return status in TRANSIENT_STATUSES - {TOO_MANY_REQUESTS}
    return status in TRANSIENT_STATUSES or kind in LOST_NODE_ERRORS


def _rejection(position: int, item: Json) -> Rejection | None:
    """The error of an item; None where the item is malformed."""
    result = item.get("index") if isinstance(item, dict) else None
    if not isinstance(result, dict):
        return None
    status, error = result.get("status"), result.get("error")
    if not _is_error_status(status) or not isinstance(error, dict):
        return None
    return Rejection(position, status, str(error.get("type")), error_reason(error))


def _is_error_status(status: Json) -> TypeGuard[int]:
    return type(status) is int and 400 <= status <= 599  # noqa: PLR2004  # HTTP's client and server errors


def _malformed(sent: int, why: str) -> BulkResponse:
    return BulkResponse(acknowledged=0, retry=tuple(range(sent)), retry_reason=why)


def error_reason(error: Json) -> str:
    """An `error` of Elasticsearch in one line: its type, its reason and, where it adds to them, the root cause."""
    if not isinstance(error, dict):
        return _shorten(str(error))
    reason = _reason(error)
    root = _reason(_root_cause(error))
    parts = [str(error.get("type")), _shorten(reason)]
    if root not in reason:
        parts.append(_shorten(root))
    return ": ".join(part for part in parts if part)


def _root_cause(error: JsonObject) -> JsonObject:
    cause = error.get("caused_by")
    return _root_cause(cause) if isinstance(cause, dict) else error


def _reason(error: JsonObject) -> str:
    return str(error.get("reason") or "")


def _shorten(text: str) -> str:
    short = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} ... {text[-_TAIL:]}"
    return " ".join(short.split())
