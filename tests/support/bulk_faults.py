"""Faults of bulk requests: documents that are refused, lost or delayed."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from tests.support.fault_proxy import Answer, Exchange, Fault, FaultProxy, hold_until, pass_through

BUSY_ITEM = {
    "index": {
        "status": 429,
        "error": {
            "type": "es_rejected_execution_exception",
            "reason": "rejected execution of coordinating operation [max_coordinating_and_primary_bytes=53687091]",
        },
    }
}
"""Elasticsearch's answer for a document while its indexing queue is full."""


def without_last_item(body: bytes) -> bytes:
    """A bulk response without the item of the last document; an argument for `alter`."""
    response = orjson.loads(body)
    return orjson.dumps({**response, "items": response["items"][:-1]})


def busy_items(every: int) -> Fault:
    """Every n-th document finds the server busy (429) and never reaches it; the others pass through."""
    count = itertools.count(1)

    def fault(exchange: Exchange) -> None:
        documents = bulk_documents(exchange.request.body)
        accepted = [next(count) % every > 0 for _ in documents]
        body = b"".join(document for document, is_accepted in zip(documents, accepted, strict=True) if is_accepted)
        answer = exchange.forward(body) if body else Answer(200, b'{"errors":false,"items":[]}')
        response = orjson.loads(answer.body)
        stored = iter(response["items"])
        items = [next(stored) if is_accepted else BUSY_ITEM for is_accepted in accepted]
        exchange.reply(
            Answer(answer.status, orjson.dumps({"errors": response["errors"] or not all(accepted), "items": items}))
        )

    return fault


def bulk_documents(body: bytes) -> list[bytes]:
    """The documents of a bulk request, each with its action."""
    lines = body.splitlines(keepends=True)
    return [action + source for action, source in zip(lines[::2], lines[1::2], strict=True)]


def lose_document(exchange: Exchange) -> None:
    """Drop the last document before the server receives it; the response has no item for it."""
    exchange.reply(exchange.forward(b"".join(bulk_documents(exchange.request.body)[:-1])))


@contextmanager
def stalled_bulk(upstream: str, after: int = 0) -> Iterator[tuple[FaultProxy, threading.Event]]:
    """An Elasticsearch that answers `after` bulk requests, then none until the event is set."""
    resume = threading.Event()
    with FaultProxy(upstream, pattern="/_bulk") as proxy:
        proxy.script(*[pass_through] * after)
        proxy.default = hold_until(resume)
        try:
            yield proxy, resume
        finally:
            resume.set()
