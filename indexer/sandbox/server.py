"""A server that was found or started, and how a started one is waited for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.sandbox.docker import remove_container
from indexer.sandbox.process import Process, log_tail, server_account, spawn, wait_until

__all__ = ["START_TIMEOUT", "HttpAnswer", "Launch", "Origin", "Server", "http_get"]

START_TIMEOUT: Final = 180.0
"""Seconds that a server may take to start; 40 were seen on two busy cores."""


class Origin(StrEnum):
    """Where a server comes from, in the order of preference."""

    GIVEN = "given by its URL"
    FOUND = "already running"
    HOME = "started from an unpacked distribution"
    DOCKER = "started in Docker"
    EMBEDDED = "started from the embedded distribution"


@dataclass(frozen=True, slots=True)
class Server:
    """A server to work with.

    Attributes:
        name: `CrateDB` or `Elasticsearch`.
        url: where it answers, as `--source` and `--target` take it.
        origin: where it comes from.
        process: the process, where we started one.
        container: the Docker container's id, where we started one.
    """

    name: str
    url: str
    origin: Origin
    process: Process | None = None
    container: str | None = None

    def stop(self) -> None:
        """Stop it where we started it; a server that was there before is left alone.

        Raises:
            UsageError: where its process belongs to another user.
        """
        if self.process is not None:
            self.process.stop()
        if self.container is not None:
            remove_container(self.container)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server from its files.

    Attributes:
        name: `CrateDB` or `Elasticsearch`.
        url: where it will answer.
        origin: where its files come from.
        command: the program and its arguments.
        environment: what the program reads from its environment.
        folder: the node's own folder, configured; it is given to the account that the server runs as.
        ready: whether the server answers and can be used.
        remedy: what to do where it does not start; a clause that follows a colon.
    """

    name: str
    url: str
    origin: Origin
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool]
    remedy: str

    @property
    def log(self) -> Path:
        """The file with what the server prints."""
        return self.folder / "out.log"

    def start(self, timeout: float = START_TIMEOUT, given_up: Callable[[], bool] = lambda: False) -> Server:
        """Start it and wait until it can be used.

        Args:
            timeout: seconds to wait.
            given_up: whether to wait no longer, because another node of its cluster did not start.

        Raises:
            UsageError: where it cannot be run, ended, or was not ready in `timeout` seconds; with the end of its log.
        """
        process, ready = self._spawn(), False

        def settled() -> bool:
            nonlocal ready
            ready = process.alive() and self.ready()
            return ready or not process.alive() or given_up()

        try:
            wait_until(settled, timeout)
            alive = process.alive()
        finally:  # also where the user interrupts the wait
            if not ready:
                process.stop()
        if ready:
            return Server(self.name, self.url, self.origin, process=process)
        why = f"was not ready within {timeout:.0f} s" if alive else "ended while it was starting"
        raise UsageError(f"{self.name} {why}: {self.remedy}; {self.log} ends in\n{log_tail(self.log)}")

    def _spawn(self) -> Process:
        account = server_account()
        if account is not None:
            account.own(self.folder)
        environment = {"HOME": str(self.folder), **self.environment}
        try:
            return spawn(self.command, log=self.log, environment=environment, account=account)
        except OSError as error:
            who = f" by {account.name}, as whom root's servers run" if account else ""
            raise UsageError(f"{self.name} cannot be run{who} ({error}): {self.remedy}.") from error


@dataclass(frozen=True, slots=True)
class HttpAnswer:
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


def http_get(url: str, body: JsonObject | None = None, timeout: float = 3.0) -> HttpAnswer | None:
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
        return HttpAnswer(response.status, headers, response.read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
