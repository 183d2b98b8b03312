"""CrateDB's PostgreSQL port, for what speaks to databases by JDBC alone. Only the standard library is imported."""

import base64
import json
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

__all__ = ["Wire", "first_value", "wire"]


@dataclass(frozen=True, slots=True)
class Wire:
    """Where it is, and who asks.

    Attributes:
        url: as JDBC takes it.
        user: who asks.
        password: the password, empty where there is none.
    """

    url: str
    user: str
    password: str


def wire(source: str) -> Wire:
    """Ask the server for its port."""
    url = urlsplit(source.split(",", maxsplit=1)[0])
    port = first_value(source, "SELECT port['psql'] FROM sys.nodes LIMIT 1")
    user, password = unquote(url.username or "crate"), unquote(url.password or "")
    return Wire(f"jdbc:postgresql://{url.hostname}:{port}/doc", user, password)


def first_value(source: str, statement: str) -> object:
    """The first column of the first row of a statement."""
    url = urlsplit(source.split(",", maxsplit=1)[0])
    server = f"http://{url.hostname}:{url.port or 4200}/_sql"
    request = urllib.request.Request(server, json.dumps({"stmt": statement}).encode())  # it is http
    request.add_header("Content-Type", "application/json")
    if url.username:
        word = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(word).decode()}")
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # http is written above
        found: object = json.load(answer)["rows"][0][0]
    return found
