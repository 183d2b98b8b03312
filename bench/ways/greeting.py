"""Answers `GET /` for a server that does not: the plain distribution of Elasticsearch has no such request.

elasticsearch-spark asks for it before it writes. Whatever else it asks (which nodes there are) is passed on, so that
the documents go to the server itself. Only the standard library is imported.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

__all__ = ["greeted"]


@contextmanager
def greeted(target: str) -> Iterator[str]:
    """Where `GET /` is answered: the server itself where it does so, else a port that is open inside `with`."""
    if _greets(target):
        yield target
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(target)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _greets(target: str) -> bool:
    try:
        _get(f"{target}/")
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.METHOD_NOT_ALLOWED:
            return False
        raise
    return True


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # the target's URL is http
        found: bytes = answer.read()
    return found


def _handler(target: str) -> type[BaseHTTPRequestHandler]:
    nodes = json.loads(_get(f"{target}/_nodes?filter_path=cluster_name,nodes.*.version"))
    number = next(iter(nodes["nodes"].values()))["version"]
    hello = {
        "name": "one",
        "cluster_name": nodes["cluster_name"],
        "cluster_uuid": "unknown",
        "version": {"number": number, "build_flavor": "default"},
        "tagline": "You Know, for Search",
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.path.split("?")[0]
            body = json.dumps(hello).encode() if asked == "/" else _get(f"{target}{self.path}")
            self.send_response(HTTPStatus.OK)
            for name, value in (("Content-Type", "application/json"), ("X-elastic-product", "Elasticsearch")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
