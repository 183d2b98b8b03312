"""An issuer of JSON Web Tokens, which serves its public key to CrateDB on the loopback interface."""

import base64
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

__all__ = ["Issuer"]

KEY = "the-tests"


class Issuer:
    """Signs tokens with RS256, by `openssl`.

    Attributes:
        url: the `iss` of its tokens, and the URL of its public key.
    """

    def __init__(self, folder: Path) -> None:
        self._key = folder / "issuer.key"
        subprocess.run(["openssl", "genrsa", "-out", self._key, "2048"], check=True, capture_output=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._public()))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys"

    def token(self, username: str, audience: str, seconds: float = 600) -> str:
        """A token that expires in `seconds`; with a negative number, it has expired."""
        head = {"alg": "RS256", "typ": "JWT", "kid": KEY}
        claims = {"iss": self.url, "username": username, "aud": audience, "exp": int(time.time() + seconds)}
        signed = f"{_base64(orjson.dumps(head))}.{_base64(orjson.dumps(claims))}"
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self._key], input=signed.encode(), check=True, capture_output=True
        ).stdout
        return f"{signed}.{_base64(signature)}"

    def _public(self) -> bytes:
        """The key set, without `alg`: CrateDB 6.4.3 refuses every token if both the key and the token name one."""
        modulus = subprocess.run(
            ["openssl", "rsa", "-in", self._key, "-noout", "-modulus"], check=True, capture_output=True, text=True
        ).stdout.partition("=")[2]
        key = {"kty": "RSA", "kid": KEY, "use": "sig", "e": "AQAB", "n": _base64(bytes.fromhex(modulus.strip()))}
        return orjson.dumps({"keys": [key]})

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _handler(answer: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named by the base class
            """Log nothing."""

    return Handler
