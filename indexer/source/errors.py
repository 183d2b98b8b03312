"""Translates error responses and exceptions of a source into errors of this product; the only place that does."""

import sqlite3
import ssl
from http import HTTPStatus
from typing import Final

import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from urllib3.exceptions import HTTPError, ReadTimeoutError, SSLError

from indexer.errors import BreakerTripped, SourceError, SourceUnavailable
from indexer.model.json import Json
from indexer.tls import trust_remedy

__all__ = ["FORBIDDEN", "UNKNOWN", "error_in_response", "error_of_database", "error_without_response"]

FORBIDDEN: Final = frozenset({4010, 4011})
"""CrateDB's codes for a user who is not logged in, or lacks the privilege."""

UNKNOWN: Final = frozenset({4041, 4045})
"""CrateDB's codes for a table or schema that does not exist, or that the user may not see."""

_INVALID_SQL: Final = 4000
_UNHANDLED: Final = 5000
_NOT_READY: Final = 4040
"""Something without a code of its own was not found: a shard that recovers after a restart, for one (observed)."""
_RETRY_CODES: Final = frozenset({_NOT_READY, 4290, 5002, 5003, 5005, *range(5030, 5040)})
_NODE_LEFT: Final = (
    "NodeNotConnectedException",
    "NodeDisconnectedException",
    "NodeClosedException",
    "ConnectTransportException",
    "NoSuchNodeException",
)
_UNKNOWN_NODE: Final = "SQLParseException[Unknown node: "
"""A query was planned for a node that has left the cluster by the time it runs."""
_BREAKER: Final = "CircuitBreakingException"
_RETRY_STATUS: Final = frozenset({429, 502, 503, 504, 509})
_MAX_MESSAGE: Final = 500
_RETRY_SQLITE: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_RETRY_SQLSTATE: Final = ("08", "40", "53", "57P")
"""Connection exception, transaction rollback, insufficient resources, operator intervention."""


def error_in_response(status: int, body: bytes) -> SourceError | None:
    """The error in a response of CrateDB's HTTP endpoint; None for success.

    Args:
        status: the HTTP status.
        body: the body, decompressed; JSON with `error.code` and `error.message` where it comes from CrateDB itself.
    """
    if status < HTTPStatus.BAD_REQUEST:
        return None
    code, message = _error(body)
    if code is None:
        return _without_code(status, message)
    text = f"CrateDB answered {code}: {message}"
    if code == _UNHANDLED and _BREAKER in message:
        return BreakerTripped(text, code, f"{code}: {message}")
    if code in _RETRY_CODES or _node_left(code, message):
        return SourceUnavailable(text, code, f"{code}: {message}")
    return SourceError(text, code)


def _node_left(code: int, message: str) -> bool:
    """A node that leaves the cluster causes errors with the codes of internal errors and of invalid SQL (observed)."""
    if code == _INVALID_SQL:
        return message.startswith(_UNKNOWN_NODE)
    return code == _UNHANDLED and any(name in message for name in _NODE_LEFT)


def error_without_response(servers: str, error: BaseException) -> SourceError:
    """The error for a request without a response.

    Args:
        servers: the servers' URLs, without passwords.
        error: what the client or urllib3 raised.
    """
    cause = _http_error(error)
    root = _root(cause)
    if isinstance(root, ssl.SSLCertVerificationError):
        return SourceError(
            f"CrateDB at {servers}: TLS certificate not trusted ({root.verify_message});"
            f" {trust_remedy('source', root)}."
        )
    if isinstance(cause, SSLError):
        return SourceError(
            f"CrateDB at {servers}: TLS handshake failed ({_reason(cause)});"
            " write http:// or crate:// in --source if the server does not use TLS, otherwise see its log."
        )
    return SourceUnavailable(
        f"CrateDB at {servers} is unavailable ({_reason(cause)});"
        " check that it runs, and the host, port and http:// or https:// in --source.",
        reason=_reason(cause),
    )


def error_of_database(error: SQLAlchemyError, url: str) -> SourceError:
    """The error for what SQLAlchemy raised.

    Args:
        error: what it raised.
        url: the database's URL, without its password.
    """
    reason = _shortened(str(error.orig) if isinstance(error, DBAPIError) else str(error))
    text = f"The database {url} answered: {reason}"
    return SourceUnavailable(text, reason=reason) if _is_transient(error) else SourceError(text)


def _is_transient(error: SQLAlchemyError) -> bool:
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeoutError)
    if isinstance(error.orig, sqlite3.Error):
        # The low byte of an extended code (SQLITE_BUSY_SNAPSHOT, ...) is the primary code.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _RETRY_SQLITE
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(_RETRY_SQLSTATE)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _without_code(status: int, message: str) -> SourceError:
    """The error of a proxy, or of CrateDB before it reads the statement: it sends no code for a wrong password."""
    if status == HTTPStatus.UNAUTHORIZED:
        return SourceError(
            f"CrateDB rejected the login ({message});"
            " check --source-user and --source-password, or --source-jwt, or --source-cert.",
            min(FORBIDDEN),
        )
    text = f"The source answered HTTP {status}: {message or 'no message'}"
    return SourceUnavailable(text) if status in _RETRY_STATUS else SourceError(text)


def _error(body: bytes) -> tuple[int | None, str]:
    try:
        content: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, _shortened(body.decode(errors="replace"))
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return None, _shortened(str(error or content))
    code = error.get("code")
    return code if isinstance(code, int) else None, _shortened(str(error.get("message", "")))


def _http_error(error: BaseException) -> BaseException:
    """The exception of urllib3 that the client wraps."""
    cause = error.__cause__
    return error if isinstance(error, HTTPError) or cause is None else _http_error(cause)


def _root(error: BaseException) -> BaseException:
    """The innermost exception: urllib3 wraps it as an argument or as the cause."""
    inner = next((arg for arg in reversed(error.args) if isinstance(arg, BaseException)), error.__cause__)
    return error if inner is None or isinstance(error, ReadTimeoutError) else _root(inner)


def _reason(cause: BaseException) -> str:
    error = _root(cause)
    if isinstance(error, ReadTimeoutError):
        return "no response within --source-timeout"
    return (error.strerror if isinstance(error, OSError) else None) or _shortened(str(error)) or type(error).__name__


def _shortened(text: str) -> str:
    """One line of limited length: a message of CrateDB may quote the whole statement."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"
