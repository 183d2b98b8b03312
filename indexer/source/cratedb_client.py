"""The official CrateDB client, made to keep what it drops: error codes, and the size of an answer."""

from collections.abc import Iterable, Sequence
from typing import Final

from crate.client import connect
from crate.client.exceptions import ConnectionError as Unanswered
from crate.client.exceptions import Error
from crate.client.http import SRV_UNAVAILABLE_STATUSES, Client
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout, disable_warnings
from urllib3.exceptions import InsecureRequestWarning, ProtocolError

from indexer.errors import ResponseTooLarge, SourceError, SourceUnavailable, UsageError
from indexer.model.json import Json, Row
from indexer.settings import SourceAccess
from indexer.source.errors import error_in_response, error_without_response
from indexer.source.url import SourceAddress
from indexer.tls import refuse_unusable

__all__ = ["CrateConnection"]

# mypy: allow-untyped-calls
# The client has no annotations.


_CONNECT_TIMEOUT: Final = 5.0
"""Seconds until a server that does not even open a connection counts as away."""

_TRIES: Final = 2
"""How often a server is asked that cuts the connection: the first may have been a connection it had long closed."""


class CrateConnection:
    """One connection to CrateDB; not shared between threads.

    Attributes:
        address: where it is connected to.
    """

    def __init__(self, access: SourceAccess, address: SourceAddress) -> None:
        """Connect, and look at the version of every server.

        Raises:
            SourceUnavailable: where no server answers.
            SourceError: for a wrong password, or a server that is not CrateDB.
            UsageError: where a file with certificates cannot be used.
        """
        self.address = address
        refuse_unusable("source", access, secure=address.secure)
        self._client = _CrateClient(access, address)
        try:
            self._connection = connect(client=self._client)
        except Unanswered as error:
            self._client.close()
            raise self._client.unanswered(self._client.last_failure or error) from error
        except Error as error:
            self._client.close()
            raise SourceError(
                f"{address} does not answer as CrateDB does: name a CrateDB server with --source."
            ) from error

    @property
    def size(self) -> int:
        """The bytes of the last answer, decompressed."""
        return self._client.size

    def run(self, sql: str, arguments: Sequence[Json] = (), most: int | None = None) -> list[Row]:
        """Run one statement.

        Args:
            sql: the statement, with `$1` for its first argument.
            arguments: the values.
            most: bytes of the answer beyond which it is abandoned, unread; None for any.

        Returns:
            the rows, as the driver decoded them: nothing is done to each one.

        Raises:
            SourceUnavailable: where asking again may help.
            ResponseTooLarge: where asking for fewer rows may help: the answer is larger than `most`, or a breaker tripped.
            SourceError: where neither does.
        """
        self._client.most = most
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, list(arguments))
        except Error as error:
            raise SourceUnavailable(
                f"CrateDB at {self.address} sent an answer that cannot be read; try again."
            ) from error
        rows: Iterable[Row] | None = cursor.rows
        return [] if rows is None else list(rows)

    def close(self) -> None:
        """Close the sockets."""
        self._connection.close()


class _Answer:
    """An answer that was read, with all that the client asks of a response; `whole` is False where it was abandoned."""

    def __init__(self, response: BaseHTTPResponse, data: bytes, *, whole: bool) -> None:
        self.whole = whole
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.data = data
        self.get_redirect_location = response.get_redirect_location


class _CrateClient(Client):
    """The client with its server list, failover, authentication and TLS; only what answers mean is decided here."""

    def __init__(self, access: SourceAccess, address: SourceAddress) -> None:
        self.size = 0
        self.most: int | None = None
        self.last_failure: Unanswered | None = None  # while connecting, the client keeps its text only
        if not address.verify:  # whoever gives --no-source-verify knows; a warning a page would only hide others
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
        except OSError as error:  # ours were looked at already; the client knows one more name for them
            raise UsageError(f"REQUESTS_CA_BUNDLE in the environment cannot be used ({error}): unset it.") from error
        self._shown = str(address)

    def unanswered(self, error: BaseException) -> SourceError:
        """The error for a request that no server answered."""
        return error_without_response(self._shown, error)

    def _create_server(self, server: str, **options: object) -> None:
        super()._create_server(server, **options)
        pool = self.server_pool[server].pool
        self.server_pool[server].pool = _OneTry(pool, self)  # type: ignore[assignment]  # all of it that is used

    def _request(self, method: str, path: str, server: str | None = None, **options: object) -> _Answer:
        """Ask the server, or the first one that answers; overridden because the client's own loop has no end.

        A server that is asked by name is asked for its version while connecting: others may answer where it does not.
        """
        response = self._ask(method, path, server, **options) if server else self._ask_any(method, path, **options)
        self.size = len(response.data)
        if not response.whole:
            raise ResponseTooLarge(f"The answer is larger than the {self.most:,} bytes that there is room for.")
        error = error_in_response(response.status, response.data)
        if error is not None and not (server and isinstance(error, SourceUnavailable)):
            raise error
        return response

    def _ask_any(self, method: str, path: str, **options: object) -> _Answer:
        for left in reversed(range(_TRIES * len(self.server_pool))):
            server: str = self._get_server()
            try:
                response = self._ask(method, path, server, **options)
            except Unanswered as error:
                if not left or not self._may_ask_again(server, error):
                    raise self.unanswered(error) from error
            else:
                if not left or response.status not in SRV_UNAVAILABLE_STATUSES or not self._dropped(server):
                    return response
        raise self.unanswered(ConnectionError("no server is left"))  # pragma: no cover - the last try has returned

    def _ask(self, method: str, path: str, server: str, **options: object) -> _Answer:
        try:
            response: _Answer = super()._request(method, path, server=server, **options)
        except Unanswered as error:
            self.last_failure = error
            raise
        return response

    def _may_ask_again(self, server: str, error: Unanswered) -> bool:
        return self._dropped(server) or isinstance(error.__cause__, ProtocolError)

    def _dropped(self, server: str) -> bool:
        """Leave a server out for a while, where there is another one."""
        with self._lock:
            if len(self._active_servers) == 1:
                return False
            self._drop_server(server, "no answer")
            return True


class _OneTry:
    """A pool without retries of its own: urllib3's would multiply with ours, and wait ten times for an absent host.

    It reads an answer itself, so that one larger than its reader has room for is abandoned before it is in memory.
    """

    def __init__(self, pool: HTTPConnectionPool, client: _CrateClient) -> None:
        self._pool = pool
        self._client = client
        self.close = pool.close

    def urlopen(self, method: str, path: str, **options: object) -> _Answer:
        options.update(retries=False, preload_content=False)
        response = self._pool.urlopen(method, path, **options)  # type: ignore[arg-type]  # passed on
        most = self._client.most
        data = response.read(None if most is None else most + 1)
        whole = most is None or len(data) <= most
        if whole:
            response.release_conn()
        else:
            response.close()  # and its connection with it: the rest of the answer is on its way
        return _Answer(response, data, whole=whole)
