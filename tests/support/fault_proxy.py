"""A proxy in front of a real HTTP server that a test can let fail: refuse, cut, answer by halves, alter, hold back.

::

    with FaultProxy(elasticsearch_url, on="/_bulk") as proxy:
        proxy.script(refuse(429), cut_after)     # the next two requests for /_bulk; the rest passes
        ...proxy.url...
        assert [seen.path for seen in proxy.seen] == [...]
"""

import re
import socket
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})

Headers: TypeAlias = dict[str, str]
Connect: TypeAlias = Callable[[], HTTPConnection]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: Headers
    body: bytes
    together: int = 1
    """How many that meet the script were on their way when it came, itself included."""

    @property
    def kind(self) -> tuple[str, str, bytes]:
        """What is asked for, without what tells one such request from another: its values."""
        statement = self.body.partition(b'","args"')[0] if self.path.startswith("/_sql") else b""
        return self.method, urlsplit(self.path).path, statement


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back, or what a test sends in its place."""

    status: int
    body: bytes = b""
    headers: Headers | None = None


class Exchange:
    """One request on its way; a fault decides what becomes of it."""

    def __init__(self, handler: BaseHTTPRequestHandler, connect: Connect, request: Request) -> None:
        self.request = request
        self._handler = handler
        self._connect = connect

    def forward(self, body: bytes | None = None, **changed: str) -> Answer:
        """Ask the real server; what the client sent, or something else, or with other headers."""
        sent = self.request.body if body is None else body
        headers = {name: value for name, value in self.request.headers.items() if name.lower() not in changed}
        connection = self._connect()
        try:
            connection.request(self.request.method, self.request.path, sent, headers={**headers, **changed})
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def reply(self, answer: Answer, *, share: float = 1.0) -> None:
        """Answer the client: with less than the whole body where `share` is below 1, and then the cut."""
        self._handler.send_response(answer.status)
        for name, value in (answer.headers or {"content-type": "application/json"}).items():
            if name.lower() not in _HOP_BY_HOP:
                self._handler.send_header(name, value)
        self._handler.send_header("content-length", str(len(answer.body)))
        self._handler.end_headers()
        self._handler.wfile.write(answer.body[: int(len(answer.body) * share)])
        if share < 1:
            self.cut()

    def cut(self) -> None:
        """Close the connection to the client."""
        self._handler.close_connection = True
        with suppress(OSError):  # the client may have gone already
            self._handler.connection.shutdown(socket.SHUT_RDWR)


Fault: TypeAlias = Callable[[Exchange], None]


def passes(exchange: Exchange) -> None:
    """No fault: the real server answers."""
    exchange.reply(exchange.forward())


def cut_before(exchange: Exchange) -> None:
    """The connection is lost before the server saw the request."""
    exchange.cut()


def cut_after(exchange: Exchange) -> None:
    """The connection is lost after the server did the work and before the client heard of it."""
    exchange.forward()
    exchange.cut()


def half(exchange: Exchange) -> None:
    """The connection is lost in the middle of the answer."""
    exchange.reply(exchange.forward(), share=0.5)


def refuse(status: int, body: bytes = b"{}", content_type: str = "application/json") -> Fault:
    """Answer in the server's place, which never sees the request."""

    def fault(exchange: Exchange) -> None:
        exchange.reply(Answer(status, body, {"content-type": content_type}))

    return fault


def larger_than(limit: int) -> Fault:
    """Refuse bodies of more bytes with 413, as `http.max_content_length` and proxies do; let the others pass."""

    def fault(exchange: Exchange) -> None:
        (refuse(413) if len(exchange.request.body) > limit else passes)(exchange)

    return fault


def altered(change: Callable[[bytes], bytes]) -> Fault:
    """Let the server do the work, and change the body of its answer."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.reply(Answer(answer.status, change(answer.body), answer.headers))

    return fault


def each(nth: int, fault: Fault) -> Fault:
    """The first of so many requests of a kind meets the fault, the others pass.

    A count of all of them together would fall into step with what asks at a beat: some other request would meet the
    fault each time that it is tried again, and never get through.
    """
    return _counted(lambda before: before % nth == 0, fault)


def first(times: int, fault: Fault) -> Fault:
    """So many requests of each kind meet the fault, those after them pass."""
    return _counted(lambda before: before < times, fault)


def _counted(meets: Callable[[int], bool], fault: Fault) -> Fault:
    before: Counter[tuple[str, str, bytes]] = Counter()
    lock = threading.Lock()

    def turn(exchange: Exchange) -> None:
        kind = exchange.request.kind
        with lock:
            number = before[kind]
            before[kind] += 1
        (fault if meets(number) else passes)(exchange)

    return turn


def after(act: Callable[[], object], fault: Fault = passes) -> Fault:
    """Do something first, while the request waits."""

    def run(exchange: Exchange) -> None:
        act()
        fault(exchange)

    return run


def held(until: threading.Event) -> Fault:
    """Hold the request back until the test sets the event; cut it where that never comes, as no test lasts so long."""

    def fault(exchange: Exchange) -> None:
        (passes if until.wait(240) else cut_before)(exchange)

    return fault


class FaultProxy:
    """The proxy. It listens on a free port of the loopback.

    Attributes:
        url: where clients find it.
        crate: the same, as `--source` takes it.
        seen: the requests that met the script or its end, in order.
        otherwise: what becomes of them when the script is at its end.
        together: how many of them are on their way now.

    Args:
        upstream: the real server's URL, `crate://` too.
        ca: the authority that signed its certificate, where it speaks TLS; clients speak http to the proxy.
        on: an expression that is searched for in `POST /path`: requests without it always pass.
    """

    def __init__(self, upstream: str, on: str = "", ca: Path | None = None) -> None:
        self.seen: list[Request] = []
        self.otherwise: Fault = passes
        self._on = re.compile(on)
        self._script: deque[Fault] = deque()
        self._lock = threading.Lock()
        self.together = 0
        self._server = _Server(("127.0.0.1", 0), _handler(self, _connector(upstream, ca)))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.crate = self.url.replace("http://", "crate://")

    def script(self, *faults: Fault) -> None:
        """Add faults for the next requests, one each."""
        with self._lock:
            self._script.extend(faults)

    def serve(self, exchange: Exchange) -> None:
        """Let a request meet the next fault, and remember it."""
        if not self._on.search(f"{exchange.request.method} {exchange.request.path}"):
            passes(exchange)
            return
        with self._lock:
            self.together += 1
            self.seen.append(replace(exchange.request, together=self.together))
            fault = self._script.popleft() if self._script else self.otherwise
        try:
            fault(exchange)
        finally:
            with self._lock:
                self.together -= 1

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _connector(upstream: str, ca: Path | None) -> Connect:
    server = urlsplit(upstream)
    host = server.hostname or "localhost"
    if ca is None:
        return lambda: HTTPConnection(host, server.port, timeout=60)
    trusted = ssl.create_default_context(cafile=ca)
    return lambda: HTTPSConnection(host, server.port, timeout=60, context=trusted)


def _handler(proxy: FaultProxy, connect: Connect) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = Request(self.command, self.path, headers, body)
            proxy.serve(Exchange(self, connect, request))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815  # named by the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named by the base class
            """Say nothing: the test looks at what the client made of it."""

    return Handler
