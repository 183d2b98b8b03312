"""A node of the official client whose answers are cut off where they grow too large to be held."""

from typing import Final

from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3 import BaseHTTPResponse, HTTPConnectionPool

__all__ = ["MOST_BYTES", "BoundedNode"]

MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of an answer at most; one that is longer was cut off, and has one byte more."""


class BoundedNode(Urllib3HttpNode):
    """Reads at most `MOST_BYTES` and one more of each answer: how wide documents are is known once they are there."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool = _BoundedPool(self.pool)  # type: ignore[assignment]  # all of it that is used


class _Answer:
    """All that the node asks of a response."""

    def __init__(self, response: BaseHTTPResponse, data: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.data = data


class _BoundedPool:
    """A pool that reads answers itself."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool
        self.close = pool.close

    def urlopen(self, method: str, target: str, **options: object) -> _Answer:
        response = self._pool.urlopen(method, target, preload_content=False, **options)  # type: ignore[arg-type]  # passed on
        data = response.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            response.close()  # and its connection with it: the rest of the answer is on its way
        else:
            response.release_conn()
        return _Answer(response, data)
