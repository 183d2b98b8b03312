"""What became of each document of one `_bulk` request: done, to be sent again, or rejected for good."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TypeGuard

import orjson

from indexer.model.json import Json, JsonObject

__all__ = [
    "AWAY",
    "BUSY",
    "LATER",
    "WHOLE_INDEX",
    "Batch",
    "BulkResponse",
    "DeadLetter",
    "Rejection",
    "WriteResult",
    "dead_letter",
    "error_reason",
    "is_transient",
    "line_id",
    "read_bulk_response",
    "split_batches",
]

BUSY = 429
"""The status that asks for the same document again, and for less at once."""

LATER = frozenset({BUSY, 502, 503, 504})
"""Statuses that ask for the same document again."""

AWAY = frozenset(
    {
        "connect_transport_exception",
        "node_closed_exception",
        "node_disconnected_exception",
        "node_not_connected_exception",
    }
)
"""Error types of a node that left, which Elasticsearch reports as 500 (its default for any exception)."""

WHOLE_INDEX = frozenset(
    {"cluster_block_exception", "index_closed_exception", "index_not_found_exception", "security_exception"}
)
"""Error types that no document of the index can escape, so that dead letters would be wrong."""

HEAD, TAIL = 300, 200
"""Characters kept of a reason's ends: Elasticsearch quotes the rejected value in it, which may have megabytes."""

_CREATED: JsonObject = {"index": {"status": 201}}
_UPDATED: JsonObject = {"index": {"status": 200}}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A document that Elasticsearch rejected for good.

    Attributes:
        id: its `_id`.
        status: the HTTP status of the rejection; 413 where the document alone is too large for a request.
        reason: the error's type and reason, shortened.
        document: its `_source`, as it was rejected.
        key: the values of the row's key, by column, in the source's form: see `indexer.model.document.row_key`.
    """

    id: str
    status: int
    reason: str
    document: Json
    key: JsonObject = field(default_factory=dict)

    def as_json(self) -> JsonObject:
        """The dead letter as it is kept, with what tells the row first."""
        return {
            "id": self.id,
            "key": self.key,
            "status": self.status,
            "reason": self.reason,
            "document": self.document,
        }

    @classmethod
    def from_json(cls, content: JsonObject) -> "DeadLetter":
        """The inverse of `as_json`; what else the content holds is left aside."""
        key = content.get("key")
        return cls(
            id=str(content["id"]),
            status=int(str(content["status"])),
            reason=str(content["reason"]),
            document=content["document"],
            key=key if isinstance(key, dict) else {},
        )


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one batch.

    Attributes:
        done: the number of documents that Elasticsearch acknowledged.
        dead: those that it rejected for good; with `done` they make up the whole batch.
        retries: the number of requests that repeated documents of the batch.
        again: how many of `done` took the place of a document of their `_id`.
    """

    done: int
    dead: tuple[DeadLetter, ...]
    retries: int
    again: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """One item of a response that is not done.

    Attributes:
        place: the document's place in the request, from 0.
        status: the item's HTTP status.
        type: the error's type, for example `document_parsing_exception`.
        reason: the type and the reason, shortened.
    """

    place: int
    status: int
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class BulkResponse:
    """What one response says of the documents that were sent.

    Attributes:
        done: the number of documents acknowledged.
        retry: the places of those to be sent again, ascending.
        why_retry: the reason of the first of them, a 429 before others, or of a response that makes no sense; or empty.
        busy: whether any of them was refused with 429.
        rejected: those rejected for good.
        fatal: an item that tells of the index as a whole, so that the batch must not go on; or None.
        again: how many of `done` took the place of a document of their `_id`.
    """

    done: int
    retry: tuple[int, ...] = ()
    why_retry: str = ""
    busy: bool = False
    rejected: tuple[Rejection, ...] = ()
    fatal: Rejection | None = None
    again: int = 0


def read_bulk_response(sent: int, response: Json) -> BulkResponse:
    """Say what became of each of `sent` documents, from a response narrowed to `errors`, `status` and `error`.

    Only an item with status 200 or 201 and no error is done. A response that makes no sense as a whole (items
    missing, not the shape of a bulk response, a status that there is not) acknowledges nothing: every document is
    to be sent again, which is harmless, for its `_id` makes it overwrite itself.
    """
    items = response.get("items") if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(items, list):
        return _senseless(sent, "an answer that is not a bulk response")
    if len(items) != sent:
        return _senseless(sent, f"an answer with {len(items)} items for {sent} documents")
    again = items.count(_UPDATED)
    done = items.count(_CREATED) + again
    if response.get("errors") is not (done < sent):
        return _senseless(sent, "an answer whose items contradict its errors flag")
    return BulkResponse(done, again=again) if done == sent else _sort(items, done, again)


def _sort(items: list[Json], done: int, again: int) -> BulkResponse:
    problems = [_problem(place, item) for place, item in enumerate(items) if item not in (_CREATED, _UPDATED)]
    known = [problem for problem in problems if problem is not None]
    if len(known) < len(problems):
        return _senseless(len(items), "an answer with an item that has no status and error")
    retry = [problem for problem in known if is_transient(problem.status, problem.type)]
    rest = [problem for problem in known if not is_transient(problem.status, problem.type)]
    why = next((problem for problem in retry if problem.status == BUSY), retry[0] if retry else None)
    return BulkResponse(
        done=done,
        retry=tuple(problem.place for problem in retry),
        why_retry=f"{why.status} {why.reason}" if why else "",
        busy=why is not None and why.status == BUSY,
        rejected=tuple(problem for problem in rest if problem.type not in WHOLE_INDEX),
        fatal=next((problem for problem in rest if problem.type in WHOLE_INDEX), None),
        again=again,
    )


def is_transient(status: int, kind: str) -> bool:
    """Whether an error of this status and type goes away by itself, so that asking again can help."""
    # A block answers 429 where the disk is full, and it stays until someone frees space; a 503 block passes.
    if kind in WHOLE_INDEX:
        return status in LATER - {BUSY}
    return status in LATER or kind in AWAY


def _problem(place: int, item: Json) -> Rejection | None:
    result = item.get("index") if isinstance(item, dict) else None
    if not isinstance(result, dict):
        return None
    status, error = result.get("status"), result.get("error")
    if not _is_failure(status) or not isinstance(error, dict):
        return None
    return Rejection(place, status, str(error.get("type")), error_reason(error))


def _is_failure(status: Json) -> TypeGuard[int]:
    return type(status) is int and 400 <= status <= 599  # noqa: PLR2004  # what HTTP calls an error


def _senseless(sent: int, why: str) -> BulkResponse:
    return BulkResponse(done=0, retry=tuple(range(sent)), why_retry=why)


def error_reason(error: Json) -> str:
    """One line from an `error` of Elasticsearch: its type, its reason and, where they add to it, the root cause's."""
    if not isinstance(error, dict):
        return _shorten(str(error))
    reason = _reason(error)
    root = _reason(_innermost(error))
    parts = [str(error.get("type")), _shorten(reason)]
    if root not in reason:
        parts.append(_shorten(root))
    return ": ".join(part for part in parts if part)


def _innermost(error: JsonObject) -> JsonObject:
    cause = error.get("caused_by")
    return _innermost(cause) if isinstance(cause, dict) else error


def _reason(error: JsonObject) -> str:
    return str(error.get("reason") or "")


def _shorten(text: str) -> str:
    short = text if len(text) <= HEAD + TAIL else f"{text[:HEAD]} ... {text[-TAIL:]}"
    return " ".join(short.split())


def dead_letter(line: bytes, status: int, reason: str) -> DeadLetter:
    """The dead letter of one document, from its two lines of a `_bulk` body."""
    return DeadLetter(line_id(line), status, reason, _document(line.partition(b"\n")[2]))


def line_id(line: bytes) -> str:
    """The `_id` of one document, from its two lines of a `_bulk` body."""
    action = line.partition(b"\n")[0]
    parsed: Json = orjson.loads(action)
    index = parsed.get("index") if isinstance(parsed, dict) else None
    return str(index.get("_id", "")) if isinstance(index, dict) else ""


def _document(source: bytes) -> Json:
    try:
        document: Json = orjson.loads(source)
    except orjson.JSONDecodeError:  # what cannot be read is kept as it was sent
        return source.decode(errors="replace").rstrip("\n")
    return document


@dataclass(frozen=True, slots=True)
class Batch:
    """The documents of one bulk request.

    Attributes:
        lines: each an action and a source, ready for `_bulk`.
        size: their bytes.
    """

    lines: Sequence[bytes]
    size: int


def split_batches(lines: Sequence[bytes], most: int) -> Iterator[Batch]:
    """Divide the documents of a page into batches of about equal size, of at most `most` bytes each.

    A document larger than `most` is a batch of its own.
    """
    total = sum(map(len, lines))
    even = total / max(1, ceil(total / most))
    begin, size = 0, 0
    for end, line in enumerate(lines):
        if size and (size + len(line) > most or size >= even):
            yield Batch(lines[begin:end], size)
            begin, size = end, 0
        size += len(line)
    if size:
        yield Batch(lines[begin:], size)
