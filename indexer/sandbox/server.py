"""A server that was found or started: where it comes from, how it is started, when it is ready, how it is stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.sandbox.docker import remove_container
from indexer.sandbox.process import Process, log_tail, server_account, spawn, wait_until

__all__ = ["START_TIMEOUT", "Launch", "Server", "ServerOrigin", "http_get", "json_object", "wait_until_ready"]

START_TIMEOUT: Final = 180.0
"""Seconds that a server may take to start; up to 40 were measured on two busy cores."""


class ServerOrigin(StrEnum):
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
        url: its URL, as `--source` and `--target` take it.
        origin: where it comes from.
        process: its process, if it was started here.
        container: its Docker container's id, if it was started in one.
    """

    name: str
    url: str
    origin: ServerOrigin
    process: Process | None = None
    container: str | None = None

    def stop(self) -> None:
        """Stop it if it was started here; any other server is left alone.

        Raises:
            UsageError: if its process belongs to another user.
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
        url: the URL that it will have.
        origin: where its files come from.
        command: the program and its arguments.
        environment: the program's environment variables.
        folder: the node's own folder, configured; it is given to the account that the server runs as.
        ready: whether the server answers and can be used.
        remedy: what to do if it does not start; a clause for the end of an error message.
    """

    name: str
    url: str
    origin: ServerOrigin
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool]
    remedy: str

    @property
    def log(self) -> Path:
        """The file with the server's output."""
        return self.folder / "out.log"

    def start(self, timeout: float = START_TIMEOUT, cancelled: Callable[[], bool] = lambda: False) -> Server:
        """Start it and wait until it can be used.

        Args:
            timeout: seconds to wait.
            cancelled: whether to stop waiting, because another node of its cluster failed to start.

        Raises:
            UsageError: if it cannot be run, exited, or was not ready in `timeout` seconds; with the end of its log.
        """
        process, ready = self._spawn(), False

        def settled() -> bool:
            nonlocal ready
            ready = process.alive() and self.ready()
            return ready or not process.alive() or cancelled()

        try:
            wait_until(settled, timeout)
            alive = process.alive()
        finally:  # also if the user interrupts the wait
            if not ready:
                process.stop()
        if ready:
            return Server(self.name, self.url, self.origin, process=process)
        reason = f"was not ready within {timeout:.0f} s" if alive else "exited during its start"
        raise UsageError(f"{self.name} {reason}; {self.remedy}. The end of {self.log}:\n{log_tail(self.log)}")

    def _spawn(self) -> Process:
        account = server_account()
        if account is not None:
            account.own(self.folder)
        environment = {"HOME": str(self.folder), **self.environment}
        try:
            return spawn(self.command, log=self.log, environment=environment, account=account)
        except OSError as error:
            who = f" by {account.name}, the account that servers run as when root starts them" if account else ""
            raise UsageError(f"{self.name} cannot be run{who} ({error}); {self.remedy}.") from error


def wait_until_ready(server: Server, ready: Callable[[], bool], remedy: str) -> Server:
    """Wait until a server in Docker can be used; stop it if it cannot.

    Raises:
        UsageError: if it was not ready within `START_TIMEOUT`.
    """
    if wait_until(ready, START_TIMEOUT):
        return server
    server.stop()
    raise UsageError(f"{server.name} in Docker was not ready within {START_TIMEOUT:.0f} s; {remedy}.")


def http_get(url: str, body: JsonObject | None = None, timeout: float = 3.0) -> BaseHTTPResponse | None:
    """GET a plain HTTP address, or POST a JSON body to it; None if nothing that speaks HTTP answers.

    Args:
        url: the address, with its path and query.
        body: the JSON to post, if any.
        timeout: seconds to wait for the connection and for each read.
    """
    try:
        with PoolManager(timeout=timeout, retries=False) as pool:
            return pool.request("GET" if body is None else "POST", url, json=body)
    except HTTPError:
        return None


def json_object(response: BaseHTTPResponse) -> JsonObject:
    """The body's JSON object; empty if the body is anything else."""
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
