"""One small HTTP request to a local server, for asking whether it is there and what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import orjson

from indexer.model.json import JsonObject

__all__ = ["Answer", "ask"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: the HTTP status.
        headers: the headers, their names in lower case.
        body: the bytes of the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> JsonObject:
        """The body's JSON object; empty where it is none."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}


def ask(url: str, body: JsonObject | None = None, timeout: float = 3.0) -> Answer | None:
    """GET a plain HTTP address, or POST a JSON body to it; None where nothing that speaks HTTP answers.

    Args:
        url: the address, with its path and query.
        body: what to post, if anything.
        timeout: seconds to wait for the connection and for each read.
    """
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "localhost", parts.port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        if body is None:
            connection.request("GET", target)
        else:
            connection.request("POST", target, orjson.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
