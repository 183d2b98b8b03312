"""What may become of bulk requests, beyond what may become of any: documents that are refused, lost, or held back."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from tests.support.fault_proxy import Answer, Exchange, Fault, FaultProxy, held, passes

BUSY_ITEM = {
    "index": {
        "status": 429,
        "error": {
            "type": "es_rejected_execution_exception",
            "reason": "rejected execution of coordinating operation [max_coordinating_and_primary_bytes=53687091]",
        },
    }
}
"""What Elasticsearch says of a document that it has no room for at the moment."""


def without_last_item(body: bytes) -> bytes:
    """The answer to a bulk request without what it says of the last document, for `altered`."""
    answer = orjson.loads(body)
    return orjson.dumps({**answer, "items": answer["items"][:-1]})


def busy_items(every: int) -> Fault:
    """Of all documents, each so many-th finds the server busy (429) and never reaches it; the others pass."""
    count = itertools.count(1)

    def fault(exchange: Exchange) -> None:
        documents = bulk_documents(exchange.request.body)
        lucky = [next(count) % every > 0 for _ in documents]
        body = b"".join(document for document, passed in zip(documents, lucky, strict=True) if passed)
        answer = exchange.forward(body) if body else Answer(200, b'{"errors":false,"items":[]}')
        told = orjson.loads(answer.body)
        taken = iter(told["items"])
        items = [next(taken) if passed else BUSY_ITEM for passed in lucky]
        exchange.reply(
            Answer(answer.status, orjson.dumps({"errors": told["errors"] or not all(lucky), "items": items}))
        )

    return fault


def bulk_documents(body: bytes) -> list[bytes]:
    """The documents of a bulk request, each with its action."""
    lines = body.splitlines(keepends=True)
    return [action + source for action, source in zip(lines[::2], lines[1::2], strict=True)]


def loses_a_document(exchange: Exchange) -> None:
    """The server never sees the last document, and tells only of those that it saw."""
    exchange.reply(exchange.forward(b"".join(bulk_documents(exchange.request.body)[:-1])))


@contextmanager
def standing_still(upstream: str, after: int = 0) -> Iterator[tuple[FaultProxy, threading.Event]]:
    """An Elasticsearch that takes so many bulk requests, and no more until the event is set."""
    go = threading.Event()
    with FaultProxy(upstream, on="/_bulk") as proxy:
        proxy.script(*[passes] * after)
        proxy.otherwise = held(go)
        try:
            yield proxy, go
        finally:
            go.set()
