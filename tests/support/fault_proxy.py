"""A proxy for a real HTTP server that injects faults: errors, cut connections, altered or delayed responses.

::

    with FaultProxy(elasticsearch_url, pattern="/_bulk") as proxy:
        proxy.script(refuse(429), cut_after)     # the next two requests for /_bulk; later ones pass through
        ...proxy.url...
        assert [request.path for request in proxy.requests] == [...]
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
    """A client's request."""

    method: str
    path: str
    headers: Headers
    body: bytes
    in_flight: int = 1
    """Scripted requests in flight when it arrived, itself included."""

    @property
    def kind(self) -> tuple[str, str, bytes]:
        """The kind of request: its method, path and statement, without the values."""
        statement = self.body.partition(b'","args"')[0] if self.path.startswith("/_sql") else b""
        return self.method, urlsplit(self.path).path, statement


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's response, or the response that a test sends instead."""

    status: int
    body: bytes = b""
    headers: Headers | None = None


class Exchange:
    """One request in flight; a fault decides what happens to it."""

    def __init__(self, handler: BaseHTTPRequestHandler, connect: Connect, request: Request) -> None:
        self.request = request
        self._handler = handler
        self._connect = connect

    def forward(self, body: bytes | None = None, **changed: str) -> Answer:
        """Send the request to the real server, with another body or changed headers if given."""
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
        """Answer the client; if `share` is below 1, send only that share of the body and cut the connection."""
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
        with suppress(OSError):  # the client may have closed it already
            self._handler.connection.shutdown(socket.SHUT_RDWR)


Fault: TypeAlias = Callable[[Exchange], None]


def pass_through(exchange: Exchange) -> None:
    """No fault: the real server answers."""
    exchange.reply(exchange.forward())


def cut_before(exchange: Exchange) -> None:
    """Cut the connection before the server receives the request."""
    exchange.cut()


def cut_after(exchange: Exchange) -> None:
    """Cut the connection after the server did the work, before the client receives the response."""
    exchange.forward()
    exchange.cut()


def cut_midway(exchange: Exchange) -> None:
    """Cut the connection in the middle of the response."""
    exchange.reply(exchange.forward(), share=0.5)


def refuse(status: int, body: bytes = b"{}", content_type: str = "application/json") -> Fault:
    """Respond with this status; the server never receives the request."""

    def fault(exchange: Exchange) -> None:
        exchange.reply(Answer(status, body, {"content-type": content_type}))

    return fault


def larger_than(limit: int) -> Fault:
    """Refuse bodies of more than `limit` bytes with 413, as `http.max_content_length` and proxies do."""

    def fault(exchange: Exchange) -> None:
        (refuse(413) if len(exchange.request.body) > limit else pass_through)(exchange)

    return fault


def alter(change: Callable[[bytes], bytes]) -> Fault:
    """Change the body of the server's response."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.reply(Answer(answer.status, change(answer.body), answer.headers))

    return fault


def every_nth(nth: int, fault: Fault) -> Fault:
    """Apply the fault to the first of every `nth` requests of a kind.

    A single count for all kinds could fall into step with requests that come at a regular beat: some other request
    would meet the fault on every retry, and never succeed.
    """
    return _counted(lambda before: before % nth == 0, fault)


def first_times(times: int, fault: Fault) -> Fault:
    """Apply the fault to the first `times` requests of each kind."""
    return _counted(lambda before: before < times, fault)


def _counted(meets: Callable[[int], bool], fault: Fault) -> Fault:
    before: Counter[tuple[str, str, bytes]] = Counter()
    lock = threading.Lock()

    def turn(exchange: Exchange) -> None:
        kind = exchange.request.kind
        with lock:
            number = before[kind]
            before[kind] += 1
        (fault if meets(number) else pass_through)(exchange)

    return turn


def run_before(act: Callable[[], object], fault: Fault = pass_through) -> Fault:
    """Do something while the request waits, then apply the fault."""

    def run(exchange: Exchange) -> None:
        act()
        fault(exchange)

    return run


def hold_until(until: threading.Event) -> Fault:
    """Hold the request until the test sets the event; cut it after four minutes, longer than any test takes."""

    def fault(exchange: Exchange) -> None:
        (pass_through if until.wait(240) else cut_before)(exchange)

    return fault


class FaultProxy:
    """The proxy, on a free port of the loopback interface.

    Attributes:
        url: its URL for clients.
        crate: its URL as `--source` takes it.
        requests: the requests that matched `pattern`, in order.
        default: the fault for matching requests after the script has ended.
        in_flight: the number of matching requests in flight.

    Args:
        upstream: the real server's URL, `http://`, `https://` or `crate://`.
        pattern: a regular expression that is searched for in `POST /path`; other requests always pass through.
        ca: the authority that signed the server's certificate, if it uses TLS; clients speak plain HTTP to the proxy.
    """

    def __init__(self, upstream: str, pattern: str = "", ca: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.default: Fault = pass_through
        self._pattern = re.compile(pattern)
        self._script: deque[Fault] = deque()
        self._lock = threading.Lock()
        self.in_flight = 0
        self._server = _Server(("127.0.0.1", 0), _handler(self, _connector(upstream, ca)))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.crate = self.url.replace("http://", "crate://")

    def script(self, *faults: Fault) -> None:
        """Add faults for the next matching requests, one each."""
        with self._lock:
            self._script.extend(faults)

    def serve(self, exchange: Exchange) -> None:
        """Record a request and apply the next fault to it."""
        if not self._pattern.search(f"{exchange.request.method} {exchange.request.path}"):
            pass_through(exchange)
            return
        with self._lock:
            self.in_flight += 1
            self.requests.append(replace(exchange.request, in_flight=self.in_flight))
            fault = self._script.popleft() if self._script else self.default
        try:
            fault(exchange)
        finally:
            with self._lock:
                self.in_flight -= 1

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
            """Log nothing: the test looks at what the client reports."""

    return Handler
