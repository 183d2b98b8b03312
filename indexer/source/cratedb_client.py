"""The official CrateDB client, extended to keep error codes and to bound the size of a response."""

from collections.abc import Iterable, Sequence
from typing import Final

from crate.client import connect
from crate.client.exceptions import ConnectionError as Unanswered
from crate.client.exceptions import Error
from crate.client.http import SRV_UNAVAILABLE_STATUSES, Client
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout, disable_warnings
from urllib3.exceptions import InsecureRequestWarning, ProtocolError

from indexer.access import SourceAccess
from indexer.errors import ResponseTooLarge, SourceError, SourceUnavailable, UsageError
from indexer.model.json import Json, Row
from indexer.source.errors import error_in_response, error_without_response
from indexer.source.url import SourceAddress
from indexer.tls import refuse_unusable

__all__ = ["CrateConnection"]

# mypy: allow-untyped-calls
# The client has no annotations.

_CONNECT_TIMEOUT: Final = 5.0
"""Seconds to open a connection, after which a server counts as unavailable."""

_TRIES: Final = 2
"""Tries per server where the connection breaks: the first may have used a connection that the server had closed."""


class CrateConnection:
    """One connection to CrateDB; not shared between threads.

    Attributes:
        address: the servers.
    """

    def __init__(self, access: SourceAccess, address: SourceAddress) -> None:
        """Connect, and read the version of every server.

        Raises:
            SourceUnavailable: where no server answers.
            SourceError: for a wrong password, or a server that is not CrateDB.
            UsageError: where a certificate file cannot be used.
        """
        self.address = address
        refuse_unusable("source", access, secure=address.secure)
        self._client = _CrateClient(access, address)
        try:
            self._connection = connect(client=self._client)
        except Unanswered as error:
            self._client.close()
            raise self._client.unavailable(self._client.last_failure or error) from error
        except Error as error:
            self._client.close()
            raise SourceError(f"{address} is not CrateDB; check the host and port in --source.") from error

    @property
    def size(self) -> int:
        """The bytes of the last response, decompressed."""
        return self._client.size

    def run(self, sql: str, arguments: Sequence[Json] = (), max_bytes: int | None = None) -> list[Row]:
        """Run one statement.

        Args:
            sql: the statement, with `$1` for its first argument.
            arguments: the values.
            max_bytes: bytes beyond which the response is abandoned; None for no limit.

        Returns:
            The rows as the driver decoded them, with no work for each row.

        Raises:
            SourceUnavailable: where a retry may help.
            ResponseTooLarge: where fewer rows may help: `max_bytes` was exceeded, or a circuit breaker tripped.
            SourceError: where neither helps.
        """
        self._client.max_bytes = max_bytes
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, list(arguments))
        except Error as error:
            raise SourceUnavailable(f"CrateDB at {self.address} sent an invalid response; try again.") from error
        rows: Iterable[Row] | None = cursor.rows
        return [] if rows is None else list(rows)

    def close(self) -> None:
        """Close the sockets."""
        self._connection.close()


class _Response:
    """The part of a urllib3 response that the client uses; `complete` is False where it was abandoned."""

    def __init__(self, response: BaseHTTPResponse, data: bytes, *, complete: bool) -> None:
        self.complete = complete
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.data = data
        self.get_redirect_location = response.get_redirect_location


class _CrateClient(Client):
    """The client with its server list, failover, authentication and TLS; retries and errors are decided here."""

    def __init__(self, access: SourceAccess, address: SourceAddress) -> None:
        self.size = 0
        self.max_bytes: int | None = None
        self.last_failure: Unanswered | None = None  # while connecting, the client keeps only its text
        if not address.verify:  # deliberate; a warning for every page would only bury others
            disable_warnings(InsecureRequestWarning)
        try:
            super().__init__(
                list(address.servers),
                timeout=Timeout(connect=min(_CONNECT_TIMEOUT, access.timeout), read=access.timeout),
                verify_ssl_cert=address.verify,
                ca_cert=str(access.ca) if access.ca else None,
                cert_file=str(access.cert) if access.cert else None,
                key_file=str(access.cert_key) if access.cert_key else None,
                username=address.user,
                password=address.password,
                jwt_token=address.jwt,
                schema=address.schema,
            )
        except OSError as error:  # the options were checked before; the client reads this variable too
            raise UsageError(f"REQUESTS_CA_BUNDLE cannot be read ({error}); unset the environment variable.") from error
        self._shown = str(address)

    def unavailable(self, error: BaseException) -> SourceError:
        """The error for a request without a response."""
        return error_without_response(self._shown, error)

    def _create_server(self, server: str, **options: object) -> None:
        super()._create_server(server, **options)
        pool = self.server_pool[server].pool
        self.server_pool[server].pool = _BoundedPool(pool, self)  # type: ignore[assignment]  # it has what the client uses

    def _request(self, method: str, path: str, server: str | None = None, **options: object) -> _Response:
        """Send a request to the named server, or to the first one that answers: the client's own loop never ends.

        Only the version request while connecting names a server; others may answer where that one does not.
        """
        response = self._send(method, path, server, **options) if server else self._send_to_any(method, path, **options)
        self.size = len(response.data)
        if not response.complete:
            raise ResponseTooLarge(f"A response of CrateDB exceeds the limit of {self.max_bytes:,} bytes.")
        error = error_in_response(response.status, response.data)
        if error is not None and not (server and isinstance(error, SourceUnavailable)):
            raise error
        return response

    def _send_to_any(self, method: str, path: str, **options: object) -> _Response:
        for remaining in reversed(range(_TRIES * len(self.server_pool))):
            server: str = self._get_server()
            try:
                response = self._send(method, path, server, **options)
            except Unanswered as error:
                if not remaining or not self._may_retry(server, error):
                    raise self.unavailable(error) from error
            else:
                if not remaining or response.status not in SRV_UNAVAILABLE_STATUSES or not self._drop(server):
                    return response
        raise self.unavailable(ConnectionError("no server"))  # pragma: no cover - the last try has returned

    def _send(self, method: str, path: str, server: str, **options: object) -> _Response:
        try:
            response: _Response = super()._request(method, path, server=server, **options)
        except Unanswered as error:
            self.last_failure = error
            raise
        return response

    def _may_retry(self, server: str, error: Unanswered) -> bool:
        return self._drop(server) or isinstance(error.__cause__, ProtocolError)

    def _drop(self, server: str) -> bool:
        """Skip a server for a while; False where it is the only one."""
        with self._lock:
            if len(self._active_servers) == 1:
                return False
            self._drop_server(server, "no answer")
            return True


class _BoundedPool:
    """A connection pool without retries, which abandons a response that is larger than the limit.

    urllib3's retries would multiply with those of the job, and wait ten times for a host that is down.
    """

    def __init__(self, pool: HTTPConnectionPool, client: _CrateClient) -> None:
        self._pool = pool
        self._client = client
        self.close = pool.close

    def urlopen(self, method: str, path: str, **options: object) -> _Response:
        options.update(retries=False, preload_content=False)
        response = self._pool.urlopen(method, path, **options)  # type: ignore[arg-type]  # passed on
        limit = self._client.max_bytes
        data = response.read(None if limit is None else limit + 1)
        complete = limit is None or len(data) <= limit
        if complete:
            response.release_conn()
        else:
            response.close()  # and its connection, on which the rest of the response is still arriving
        return _Response(response, data, complete=complete)
